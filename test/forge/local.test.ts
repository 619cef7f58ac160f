import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { ForgeProject } from "../../src/forge/forge.ts";
import { LocalForge } from "../../src/forge/local/local-forge.ts";
import { cursorOf, describeForge, issuesOf } from "../conformance/forge.ts";
import { git, gitEnv } from "../support/git-http.ts";
import { sampleConfig, sampleProject } from "../support/samples.ts";

const { signal } = new AbortController();
const marker = "<!-- drover:task_1:comment -->";

function newForge(redact = (text: string) => text): LocalForge {
  return new LocalForge({ clock: systemClock, env: { PATH: gitEnv["PATH"] ?? "" }, redact });
}

/** A person's repository with a commit, checked out, and its folder of issues. */
async function makeCheckout(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "drover-local-"));
  await git(path, ["init", "--quiet", "--initial-branch=main"]);
  await writeFile(join(path, "README.md"), "# Sample\n");
  await git(path, ["add", "--all"]);
  await git(path, ["commit", "--quiet", "--message=First"]);
  await mkdir(join(path, ".drover/issues"), { recursive: true });
  return path;
}

function targetAt(path: string): ForgeProject {
  return { project: sampleProject({ forge: "local", repository: null, path, remote: path }), config: sampleConfig() };
}

function fileOf({ title, body, labels, open = true }: { title: string; body: string; labels: readonly string[]; open?: boolean }): string {
  const front = [`title: ${JSON.stringify(title)}`, `labels: ${JSON.stringify(labels)}`, `state: ${open ? "open" : "closed"}`];
  return `---\n${front.join("\n")}\n---\n${body}\n`;
}

describeForge("a folder of Markdown files", async () => {
  const path = await makeCheckout();
  const issues = new Map<number, { title: string; body: string; labels: readonly string[]; open?: boolean }>();
  const save = (number: number) =>
    writeFile(join(path, `.drover/issues/${number}-issue.md`), fileOf(issues.get(number) ?? { title: "", body: "", labels: [] }));
  return {
    forge: newForge(),
    target: targetAt(path),
    comesToRest: true,
    openIssue: async (issue) => {
      const number = issues.size + 1;
      issues.set(number, issue);
      await save(number);
      return number;
    },
    editIssue: async (number, change) => {
      issues.set(number, { title: "", body: "", labels: [], ...issues.get(number), ...change });
      await save(number);
    },
    ourComments: async (number) => {
      const refs = await git(path, ["for-each-ref", "--format=%(refname)", `refs/drover/issues/${number}`]);
      return Promise.all(
        refs
          .split("\n")
          .filter(Boolean)
          .map((ref) => git(path, ["show", `${ref}:status.md`])),
      );
    },
    pullRequests: async () => {
      const refs = (await git(path, ["for-each-ref", "--format=%(refname)", "refs/drover/pulls"])).split("\n").filter(Boolean);
      return Promise.all(refs.map(async (ref) => readPull(Number(ref.split("/").at(-1)), await git(path, ["show", `${ref}:pull.md`]))));
    },
    pushBranch: async (name) => {
      const tree = await git(path, ["rev-parse", "main^{tree}"]);
      const commit = await git(path, ["commit-tree", tree.trim(), "-p", "main", "-m", name]);
      await git(path, ["update-ref", `refs/heads/${name}`, commit.trim()]);
      return commit.trim();
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
});

function value(json: string | undefined): string {
  return JSON.parse(json ?? "null") as string;
}

function readPull(number: number, text: string) {
  const [, title, base, branch, body] =
    /^---\ntitle: (.*)\nbase: (.*)\nbranch: (.*)\n(?:state: merged\n)?---\n([\s\S]*)\n$/.exec(text) ?? [];
  return { number, title: value(title), body: body ?? "", base: value(base), branch: value(branch) };
}

describe("the folder of issues", () => {
  let path: string;
  let target: ForgeProject;
  beforeEach(async () => {
    path = await makeCheckout();
    target = targetAt(path);
  });
  afterEach(() => rm(path, { recursive: true }));

  const forge = newForge();
  const poll = (cursor: string | null = null) => forge.poll(target, cursor, signal);
  const write = (name: string, text: string) => writeFile(join(path, ".drover/issues", name), text);

  test("is read by number, with the text of each file", async () => {
    await write("10-ten.md", "---\nlabels: Claude\nauthor: ada\n---\n# Ten\n\nDo it.\n");
    await write("2-two.md", "# Two\r\n\r\nDo it\r\n");
    await write("notes.md", "# Not an issue");
    await write("3.txt", "# Not an issue");
    const issues = issuesOf(await poll());
    expect(issues.map(({ number, title, body, labels, author, open }) => ({ number, title, body, labels, author, open }))).toEqual([
      { number: 2, title: "Two", body: "Do it", labels: [], author: "local", open: true },
      { number: 10, title: "Ten", body: "Do it.", labels: ["Claude"], author: "ada", open: true },
    ]);
  });

  test("one file that can't be read stops no other and is told", async () => {
    await write("1-good.md", "# Good");
    await write("2-bad.md", "---\nlabels: [a\n---\n# Bad");
    await write("3-state.md", "---\nstate: maybe\n---\n# Bad");
    await write("4-empty.md", "");
    await write("5-twin.md", "# One");
    await write("5-twin-too.md", "# Other");
    await write("6-large.md", `# Large\n${"x".repeat(1024 * 1024)}`);
    await write("7-bomb.md", `---\na: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n---\n# Bomb`);
    await mkdir(join(path, ".drover/issues/8-folder.md"));
    const answer = await poll();
    if (!answer.changed) throw new Error("nothing was read");
    expect(issuesOf(answer).map((issue) => issue.number)).toEqual([1]);
    expect(answer.problems.map(({ issue, message }) => [issue, message])).toEqual([
      [2, expect.stringContaining("no YAML")],
      [3, expect.stringContaining("front matter is not right: state")],
      [4, expect.stringContaining("neither a `title`")],
      [5, expect.stringContaining("Two files have the number 5")],
      [5, expect.stringContaining("Two files have the number 5")],
      [6, expect.stringContaining("larger than 1 MB")],
      [7, expect.stringContaining("no YAML")],
      [8, expect.stringContaining("it is no file")],
    ]);
  });

  test("a link is not followed, wherever it leads", async () => {
    await writeFile(join(path, "secret.txt"), "# Secret");
    await symlink(join(path, "secret.txt"), join(path, ".drover/issues/1-link.md"));
    await expect(poll()).resolves.toMatchObject({
      issues: [],
      problems: [{ issue: 1, message: expect.stringContaining("symbolic link") }],
    });
  });

  test("a folder that leads out of the project is refused", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "drover-elsewhere-"));
    await rm(join(path, ".drover/issues"), { recursive: true });
    await symlink(elsewhere, join(path, ".drover/issues"));
    await expect(poll()).rejects.toThrow("leads out of the project");
    await rm(elsewhere, { recursive: true });
  });

  test("a change is seen even when size and time of the file stay the same", async () => {
    const file = join(path, ".drover/issues/1-one.md");
    await write("1-one.md", "# One\n\naaa");
    const { atime, mtime } = await stat(file);
    const before = await poll();
    await write("1-one.md", "# One\n\nbbb");
    await utimes(file, atime, mtime);
    expect(issuesOf(await poll(cursorOf(before)))[0]?.body).toBe("bbb");
  });

  test("a project without the folder has no issues, now and later", async () => {
    await rm(join(path, ".drover"), { recursive: true });
    const answer = await poll();
    expect(answer).toMatchObject({ changed: true, complete: true, issues: [] });
    expect(await poll(cursorOf(answer))).toEqual({ changed: false });
  });

  test("a folder that is gone says nothing about the issues that were there", async () => {
    await write("1-one.md", "# One");
    const cursor = cursorOf(await poll());
    await rename(join(path, ".drover"), join(path, "elsewhere"));
    await expect(poll(cursor)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("a project whose path is gone is unreachable, not empty", async () => {
    target = targetAt(join(path, "nowhere"));
    await expect(poll()).rejects.toMatchObject({ code: "unavailable" });
    await expect(forge.getIssue(target, 1, signal)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("other labels in the settings make it look again", async () => {
    await write("1-one.md", "---\nlabels: [bot]\n---\n# One");
    const cursor = cursorOf(await poll());
    target = { ...target, config: sampleConfig({ intake: { labels: ["bot"] } }) };
    expect(issuesOf(await poll(cursor))).toHaveLength(1);
  });

  test("writing leaves checkout, index, branches and hooks alone", async () => {
    await mkdir(join(path, ".git/hooks"), { recursive: true });
    await writeFile(join(path, ".git/hooks/reference-transaction"), "#!/bin/sh\ntouch hook-ran\n", { mode: 0o755 });
    const before = { status: await git(path, ["status", "--porcelain=2", "--branch"]), files: await readdir(path) };
    await forge.putComment(target, { issue: 1, marker, body: "Started" }, signal);
    await forge.putPullRequest(target, { branch: "drover/1-one", base: "main", title: "One", body: "", marker }, signal);
    expect({ status: await git(path, ["status", "--porcelain=2", "--branch"]), files: await readdir(path) }).toEqual(before);
  });

  test("each status stays readable in the ref's history", async () => {
    await forge.putComment(target, { issue: 1, marker, body: "Started" }, signal);
    await forge.putComment(target, { issue: 1, marker, body: "Started" }, signal);
    await forge.putComment(target, { issue: 1, marker, body: "Done" }, signal);
    expect((await git(path, ["log", "--format=%an %s", "refs/drover/issues/1"])).trim().split("\n")).toEqual([
      "Drover Status of issue 1",
      "Drover Status of issue 1",
    ]);
    expect(await git(path, ["show", "refs/drover/issues/1~1:status.md"])).toBe(`${marker}\nStarted\n`);
  });

  test("secrets are taken out before anything is kept", async () => {
    const redacting = newForge((text) => text.replaceAll("hunter2", "[redacted]"));
    await redacting.putPullRequest(target, { branch: "b", base: "main", title: "hunter2", body: "hunter2", marker }, signal);
    expect(await git(path, ["show", "refs/drover/pulls/1:pull.md"])).not.toContain("hunter2");
  });
});
