import { execFileSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname, basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { serveGit } from "../support/git-http.ts";
import { git, makeRepository, writeFiles } from "../support/repository.ts";
import { makeSetting, never, noToken, type Setting } from "./setting.ts";

const fetchBase = (setting: Setting, change: object = {}) =>
  setting.workspaces.fetchBase({ ...setting.project, ...change }, noToken, never);

describe("fetchBase", () => {
  test("brings what was pushed to the remote a moment ago, also after the branch was rewritten there", async () => {
    using setting = makeSetting();
    await fetchBase(setting);
    const pushed = setting.source.commit({ "a.txt": "a\n" });
    expect(await fetchBase(setting)).toBe(pushed);
    setting.source.git("commit", "--quiet", "--amend", "--message=Rewritten");
    setting.source.git("push", "--quiet", "--force", "origin", "main");
    const rewritten = setting.source.git("rev-parse", "HEAD");
    expect(await fetchBase(setting)).toBe(rewritten);
    expect(git(setting.bare, "rev-parse", "refs/drover/base")).toBe(rewritten);
    // What tasks may still build on stays.
    expect(git(setting.bare, "cat-file", "-t", pushed)).toBe("commit");
  });

  test.each([
    ["the pointer to its objects is empty", (bare: string) => writeFileSync(join(bare, "objects", "info", "alternates"), "")],
    [
      "its second half is missing and a lock is left",
      (bare: string) => {
        rmSync(join(bare, "objects", "info", "alternates"));
        rmSync(join(bare, "base.git"), { recursive: true });
        writeFileSync(join(bare, "config.lock"), "");
      },
    ],
  ])("makes whole a repository whose making was cut short: %s", async (_what, cutShort) => {
    using setting = makeSetting();
    await fetchBase(setting);
    cutShort(setting.bare);
    const commit = await setting.restarted().fetchBase(setting.project, noToken, never);
    expect(git(setting.bare, "cat-file", "-t", commit)).toBe("commit");
  });

  test("reads the person's own repository where there is no remote, and leaves its checkout alone", async () => {
    using setting = makeSetting({ dirty: true, branch: "trunk" });
    const before = setting.source.git("status", "--porcelain");
    expect(await fetchBase(setting)).toBe(setting.source.git("rev-parse", "trunk"));
    expect(setting.source.git("status", "--porcelain")).toBe(before);
    expect(setting.source.git("for-each-ref", "--format=%(refname)")).toBe("refs/heads/trunk");
  });

  test.each([
    ["a bare repository", (setting: Setting) => makeRepository(join(setting.folder, "other"), { bare: true }).path],
    [
      "a shallow clone",
      (setting: Setting) => {
        for (const name of ["a", "b"]) setting.source.commit({ name });
        git(setting.folder, "clone", "--quiet", "--depth=1", `file://${setting.source.path}`, "shallow");
        return join(setting.folder, "shallow");
      },
    ],
    [
      "a repository with a submodule and an LFS pointer",
      (setting: Setting) => {
        const other = makeRepository(join(setting.folder, "other"));
        git(other.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", setting.source.path, "sub");
        writeFiles(other.path, {
          ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
          "a.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 12345\n",
        });
        other.commit({ "more.txt": "x" });
        return other.path;
      },
    ],
  ])("takes %s for a remote, and work on it comes back", async (_what, makeRemote) => {
    using setting = makeSetting();
    const remote = makeRemote(setting);
    const project = { ...setting.project, remote };
    const task = setting.task(1);
    const base = await setting.workspaces.fetchBase(project, noToken, never);
    const { directory } = await setting.workspaces.open(project, task, base, never);
    expect(git(directory, "status", "--porcelain")).toBe("");
    expect(await setting.workspaces.collect(project, task, base, "x")).toEqual({
      headCommit: base,
      tree: expect.any(String),
      changed: false,
      changes: [],
    });
    writeFiles(directory, { "work.txt": "work\n" });
    git(directory, "add", "work.txt");
    git(directory, "commit", "--quiet", "--message=By the agent");
    writeFiles(directory, { "rest.txt": "rest\n" });
    const saved = await setting.workspaces.checkpoint(project, task, "agent_ended", 1);
    const work = await setting.workspaces.collect(project, task, base, "Rest");
    expect(work.changes).toEqual(["rest.txt | 1 +", "work.txt | 1 +", "2 files changed, 2 insertions(+)"]);
    await setting.workspaces.push(project, noToken, "drover/1-fix-it", work.headCommit, never);
    expect(git(remote, "log", "--format=%s", "-2", "drover/1-fix-it")).toBe("Rest\nBy the agent");
    await setting.workspaces.restore(project, task, saved?.index ?? 0, join(setting.folder, "restored"));
    expect(readFileSync(join(setting.folder, "restored", "rest.txt"), "utf8")).toBe("rest\n");
    await setting.workspaces.remove(project, task, 2);
    expect(existsSync(directory)).toBe(false);
  });

  test("makes one pack of many and drops nothing, and workspaces still come whole", async () => {
    using setting = makeSetting();
    await fetchBase(setting);
    const base = join(setting.bare, "base.git");
    const packs = () => readdirSync(join(base, "objects", "pack")).filter((name) => name.endsWith(".pack")).length;
    writeFiles(setting.folder, Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`blobs/${i}`, `${i}\n`])));
    const blobs = Array.from({ length: 40 }, (_, i) => git(base, "hash-object", "-w", join(setting.folder, "blobs", String(i))));
    for (const blob of blobs)
      execFileSync("git", ["pack-objects", "--quiet", join(base, "objects/pack/pack")], { cwd: base, input: `${blob}\n` });
    expect(packs()).toBeGreaterThan(40);
    const commit = setting.source.commit({ "a.txt": "a" });
    await fetchBase(setting);
    expect(packs()).toBeLessThan(3);
    const { directory } = await setting.workspaces.open(setting.project, setting.task(1), commit, never);
    expect(git(directory, "log", "--format=%s")).toBe("Change\nFirst");
    expect(git(directory, "fsck", "--no-dangling")).toBe("");
    for (const blob of blobs) expect(git(setting.bare, "cat-file", "-t", blob)).toBe("blob");
  });

  test.each([
    [
      "an empty repository",
      (setting: Setting) => ({ remote: makeRepository(join(setting.folder, "empty"), { files: {} }).path }),
      "invalid",
      "has no commit yet",
    ],
    [
      "a repository of another object format",
      (setting: Setting) => {
        git(setting.folder, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", "sha256");
        git(join(setting.folder, "sha256"), "commit", "--quiet", "--allow-empty", "--message=x");
        return { remote: join(setting.folder, "sha256") };
      },
      "invalid",
      "SHA-256",
    ],
    ["a missing branch", () => ({ baseBranch: "nope" }), "invalid", "no branch nope; it has main"],
    ["a branch that is none", () => ({ baseBranch: "main:refs/heads/evil" }), "invalid", "is no name of a branch"],
    ["a folder that is no repository", (setting: Setting) => ({ remote: setting.folder }), "invalid", "no such repository"],
    ["nothing there", () => ({ remote: "/nonexistent/repository" }), "invalid", "no such repository"],
    ["a command for a remote", () => ({ remote: "ext::sh -c id" }), "invalid", "kind of address is not allowed"],
    ["an option for a remote", () => ({ remote: "--upload-pack=/bin/false" }), "invalid", "kind of address is not allowed"],
    ["a port where nobody listens", () => ({ remote: "http://127.0.0.1:1/a/b.git" }), "unavailable", "did not answer"],
    ["an unknown host", () => ({ remote: "https://host.invalid/a/b.git" }), "unavailable", "did not answer"],
  ])("says what is wrong with %s, and loses nothing", async (_what, change, code, words) => {
    using setting = makeSetting();
    const base = await fetchBase(setting);
    await expect(fetchBase(setting, change(setting))).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
    expect(git(setting.bare, "rev-parse", "refs/drover/base")).toBe(base);
  });

  test("ends at once when aborted", async () => {
    using setting = makeSetting();
    const abort = new AbortController();
    abort.abort(new Error("stop"));
    await expect(setting.workspaces.fetchBase(setting.project, noToken, abort.signal)).rejects.toThrow("stop");
  });
});

describe("a remote over HTTP", () => {
  const token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

  test("gets the token as basic authentication, and nothing else does", async () => {
    using setting = makeSetting();
    git(setting.source.remote, "config", "http.receivepack", "true");
    await using server = await serve(setting.source.remote, token);
    const project = { ...setting.project, remote: server.url };
    const spy = spyOnGit(setting);
    const workspaces = setting.restarted({ PATH: spy.path });
    const base = await workspaces.fetchBase(project, { token }, never);
    const { directory } = await workspaces.open(project, setting.task(1), base, never);
    await workspaces.push(project, { token }, "drover/1-fix-it", base, never);
    expect(git(setting.source.remote, "rev-parse", "drover/1-fix-it")).toBe(base);
    expect(server.seen.size).toBeGreaterThan(0);
    expect([...server.seen]).toEqual([`Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`]);
    const stored = [setting.home, directory].flatMap((folder) =>
      filesWith(folder, [token, Buffer.from(`x-access-token:${token}`).toString("base64")]),
    );
    expect(stored).toEqual([]);
    expect(spy.seen()).toContain("push");
    expect(spy.seen()).not.toContain(token);
  });

  test.each([
    [null, "invalid", "Give the project a token"],
    ["wrong-token-wrong-token", "invalid", "Check that the project's token"],
  ])("that refuses the token %s is a matter for a person, who is told so without it", async (given, code, words) => {
    using setting = makeSetting();
    await using server = await serve(setting.source.remote, token);
    const project = { ...setting.project, remote: server.url };
    const failure = await setting.workspaces.fetchBase(project, { token: given }, never).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code, message: expect.stringContaining(words) });
    expect(JSON.stringify(failure) + String(failure)).not.toContain(given ?? "x-access-token");
  });

  test("that is not there, or is out of order, is told apart", async () => {
    using setting = makeSetting();
    await using server = await serve(setting.source.remote, token);
    const missing = { ...setting.project, remote: `${server.url}-missing` };
    await expect(setting.workspaces.fetchBase(missing, { token }, never)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("no such repository"),
    });
    await using broken = await serveStatus(503);
    await expect(setting.workspaces.fetchBase({ ...setting.project, remote: broken.url }, { token }, never)).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("gets no token where it would travel in plain sight", async () => {
    using setting = makeSetting();
    const spy = spyOnGit(setting);
    const remote = "http://git.invalid/a/b.git";
    await expect(setting.restarted({ PATH: spy.path }).fetchBase({ ...setting.project, remote }, { token }, never)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(spy.seen()).toContain("fetch");
    expect(spy.seen()).not.toContain("extraHeader");
  });

  async function serve(repository: string, wanted: string) {
    const seen = new Set<string>();
    return listening(
      createServer((request, response) => {
        const path = new URL(request.url ?? "/", "http://x").pathname;
        const { authorization } = request.headers;
        if (authorization !== undefined) seen.add(authorization);
        if (authorization !== `Basic ${Buffer.from(`x-access-token:${wanted}`).toString("base64")}`) {
          response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
        } else if (!path.startsWith(`/${basename(repository)}/`)) {
          response.writeHead(404).end();
        } else {
          serveGit(request, response, { root: dirname(repository), path });
        }
      }),
      `/${basename(repository)}`,
      seen,
    );
  }

  function serveStatus(status: number) {
    return listening(
      createServer((_request, response) => void response.writeHead(status).end()),
      "/a/b.git",
      new Set<string>(),
    );
  }

  async function listening(server: Server, path: string, seen: Set<string>) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
    return { url, seen, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) };
  }
});

/** A PATH with a git before the real one that writes down its arguments and the names of its settings, and how to read them. */
function spyOnGit(setting: Setting): { path: string; seen: () => string } {
  const folder = join(setting.folder, "bin");
  const log = join(setting.folder, "argv");
  const real = (process.env["PATH"] ?? "")
    .split(":")
    .map((place) => join(place, "git"))
    .find((place) => existsSync(place));
  writeFiles(folder, { git: `#!/bin/sh\n{ echo "$@"; env | grep '^GIT_CONFIG_KEY'; } >> ${log}\nexec ${real} "$@"\n` });
  chmodSync(join(folder, "git"), 0o755);
  return { path: `${folder}:${process.env["PATH"]}`, seen: () => readFileSync(log, "utf8") };
}

function filesWith(folder: string, words: readonly string[]): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => words.some((word) => readFileSync(path).includes(word)));
}
