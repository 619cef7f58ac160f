import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openToolFixture, type ToolFixture } from "../../support/tool-fixture.ts";

let fixture: ToolFixture;
let outside: string;
beforeEach(async () => {
  fixture = await openToolFixture();
  outside = join(fixture.folder, "outside");
  await mkdir(join(outside, "deep"), { recursive: true });
  await writeFile(join(outside, "secret"), "canary\n");
  await writeFile(join(outside, "deep/secret"), "canary\n");
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Each tool for files, as somebody uses it who wants what a path leads to. */
const uses = [
  ["read", (path: string) => ({ path })],
  ["write", (path: string) => ({ path, content: "owned\n" })],
  ["edit", (path: string) => ({ path, old: "canary", new: "owned" })],
  ["list", (path: string) => ({ path })],
  ["search", (path: string) => ({ path, pattern: "." })],
] as const;

async function stateOutside(): Promise<unknown> {
  return { names: await readdir(outside, { recursive: true }), secret: await readFile(join(outside, "secret"), "utf8") };
}

/** Uses every tool on a path, and expects of each that it is refused and told so in the audit. */
async function expectRefused(path: string): Promise<void> {
  const before = await stateOutside();
  for (const [tool, input] of uses) {
    const said = await fixture.use(tool, input(path));
    expect(said).not.toContain("canary");
    expect(fixture.audited.splice(0)).toEqual([
      { tool, subject: expect.any(String), outcome: "refused", message: said.startsWith("[") ? "it was let in" : said },
    ]);
  }
  expect(await stateOutside()).toEqual(before);
}

describe("a path is refused, to each tool, that", () => {
  test.each([
    ["goes up", "../outside/secret"],
    ["goes down and further up", "src/../../outside/secret"],
    ["goes up and stays inside", "src/../file"],
    ["ends above", "src/.."],
    ["is absolute", "/etc/passwd"],
    ["is absolute after a slash too many", "//etc/passwd"],
    ["goes through proc", "/proc/self/root/etc/passwd"],
    ["goes through the working directory of a process", "/proc/self/cwd/file"],
    ["has a NUL character", "file\0/../../outside/secret"],
    ["is longer than a path can be", "a/".repeat(5000)],
    ["has a name that is longer than one can be", "x".repeat(256)],
    ["goes up by one-dot leaders", "\u2024\u2024/outside/secret"],
    ["goes up by a two-dot leader", "\u2025/outside/secret"],
    ["goes up by full-width dots", "\uff0e\uff0e/outside/secret"],
    ["goes up by dots with nothing between them", ".\u200b./outside/secret"],
    ["is git's configuration", ".git/config"],
    ["is a hook of git's", ".git/hooks/pre-commit"],
    ["is git's folder", ".git"],
    ["is git's in another repository within", "src/sub/.git/hooks/post-checkout"],
    ["is git's in other cases", ".GIT/config"],
    ["is git's with an invisible character", ".g\u200cit/config"],
    ["is git's in full-width letters", ".\uff47\uff49\uff54/config"],
    ["is git's by its short name", "GIT~1/config"],
  ])("%s", async (_what, path) => {
    await mkdir(join(fixture.workspace, "src"));
    await writeFile(join(fixture.workspace, "file"), "canary\n");
    spawnSync("git", ["init", "-q", fixture.workspace]);
    await expectRefused(path);
  });

  test.each([
    ["is a link to a file outside", "link", "link"],
    ["is a link to a folder outside", "folder", "folder"],
    ["goes through a link to a folder", "folder/secret", "folder"],
    ["goes through a link deeper down", "src/folder/deep/secret", "src/folder"],
    ["goes through a chain of links", "chain/secret", "chain"],
    ["is a link to a file inside", "inner", "inner"],
    ["is a link to nothing", "nothing", "nothing"],
    ["is a link to itself", "loop", "loop"],
    ["goes through a link to the root of all processes", "root/etc/passwd", "root"],
  ])("%s", async (_what, path, link) => {
    await mkdir(join(fixture.workspace, "src"));
    await writeFile(join(fixture.workspace, "file"), "canary\n");
    const targets = {
      link: join(outside, "secret"),
      folder: outside,
      "src/folder": "../../outside",
      second: "../outside",
      chain: "second",
      inner: "file",
      nothing: join(outside, "nothing"),
      loop: "loop",
      root: "/proc/self/root",
    };
    for (const [name, target] of Object.entries(targets)) await symlink(target, join(fixture.workspace, name));
    await expectRefused(path);
    expect(await readdir(fixture.workspace)).toContain(link.split("/")[0]);
  });

  test("is a FIFO, and none waits for its other end", async () => {
    spawnSync("mkfifo", [join(fixture.workspace, "fifo")]);
    await expectRefused("fifo");
  });

  test("is a socket", async () => {
    const server = createServer().listen(join(fixture.workspace, "socket"));
    await once(server, "listening");
    await expectRefused("socket");
    server.close();
  });
});

test("what is refused is left as it is: links, FIFOs and git's own are not written over", async () => {
  await symlink(join(outside, "secret"), join(fixture.workspace, "link"));
  await fixture.use("write", { path: "link", content: "owned" });
  expect(await readdir(fixture.workspace, { withFileTypes: true })).toEqual([expect.objectContaining({ name: "link" })]);
  expect(await readFile(join(fixture.workspace, "link"), "utf8")).toBe("canary\n");
});

test("what is above, links and git's folder are not among what is listed and searched", async () => {
  spawnSync("git", ["init", "-q", fixture.workspace]);
  await symlink(outside, join(fixture.workspace, "folder"));
  await symlink(join(outside, "secret"), join(fixture.workspace, "link"));
  await writeFile(join(fixture.workspace, "file"), "ours\n");
  expect(await fixture.use("list", { depth: 5 })).toBe(
    ["file", "folder (symbolic link, not followed)", "link (symbolic link, not followed)"].join("\n"),
  );
  expect(await fixture.use("search", { pattern: "." })).toBe("file:1: ours");
});

test("a file that has another name outside is not written to there", async () => {
  spawnSync("ln", [join(outside, "secret"), join(fixture.workspace, "hard")]);
  await fixture.use("write", { path: "hard", content: "ours\n" });
  expect(await readFile(join(outside, "secret"), "utf8")).toBe("canary\n");
  expect(await fixture.use("read", { path: "hard" })).toBe("ours");
});

/** Makes `inside` of two things by turns, the folder and a link to another one, as fast as it can. */
const SWAPPING = `
  const { renameSync, rmSync } = require("node:fs");
  console.log("swapping");
  const steps = [["inside", "kept"], ["link", "inside"], ["inside", "link"], ["kept", "inside"]];
  const attempt = (action) => { try { action(); return true; } catch { return false; } };
  for (;;) for (const [from, to] of steps) {
    if (attempt(() => renameSync(from, to))) continue;
    attempt(() => rmSync("inside", { recursive: true, force: true })); // which a write made while there was none, and may be filling still
  }`;

test.each(uses)("a folder that is a link at every other moment never leads out, by %s", async (tool, input) => {
  await mkdir(join(fixture.workspace, "inside/deep"), { recursive: true });
  for (const path of ["inside/secret", "inside/deep/secret"]) await writeFile(join(fixture.workspace, path), "ours\n");
  await symlink(outside, join(fixture.workspace, "link"));
  const before = await stateOutside();
  await using _swapping = await startSwapping();
  const outcomes = new Set<string>();
  // A search takes a thread; the others are tried until the swapping was seen to matter.
  const isSeen = () => tool === "search" || (outcomes.has("done") && outcomes.size > 1);
  for (let times = 0; times < (tool === "search" ? 3 : 100) || !isSeen(); times += 1) {
    const path = tool === "list" || tool === "search" ? "inside" : times % 2 ? "inside/secret" : "inside/deep/secret";
    expect(await fixture.use(tool, { ...input(path), ...(tool === "edit" ? { old: "ours", new: "ours" } : {}) })).not.toContain("canary");
    for (const { outcome } of fixture.audited.splice(0)) outcomes.add(outcome);
  }
  expect(await stateOutside()).toEqual(before);
});

async function startSwapping(): Promise<AsyncDisposable> {
  const swapping = spawn(process.execPath, ["-e", SWAPPING], { cwd: fixture.workspace, stdio: ["ignore", "pipe", "inherit"] });
  await once(swapping.stdout, "data");
  return {
    async [Symbol.asyncDispose]() {
      swapping.kill("SIGKILL");
      await once(swapping, "close");
    },
  };
}
