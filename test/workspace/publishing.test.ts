import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { git, makeRepository, writeFiles } from "../support/repository.ts";
import { makeSetting, never, noToken, type Setting } from "./setting.ts";

const BRANCH = "drover/1-fix-it";

async function opened(setting: Setting) {
  const task = setting.task(1);
  const base = await setting.workspaces.fetchBase(setting.project, noToken, never);
  const { directory } = await setting.workspaces.open(setting.project, task, base, never);
  const collect = (message = "Work\n\nTask: sample#1\n") => setting.workspaces.collect(setting.project, task, base, message);
  const commit = (files: Record<string, string>, message: string) => {
    writeFiles(directory, files);
    git(directory, "add", "--all");
    git(directory, "commit", "--quiet", "--allow-empty", `--message=${message}`);
    return git(directory, "rev-parse", "HEAD");
  };
  return { task, base, directory, collect, commit };
}

function history(setting: Setting, base: string, head: string): string[] {
  return git(setting.bare, "log", "--format=%s", `${base}..${head}`).split("\n").filter(Boolean);
}

function paths(setting: Setting, commit: string): string[] {
  return git(setting.bare, "ls-tree", "-r", "--name-only", commit).split("\n");
}

describe("collect", () => {
  test("puts one commit of ours on top of the agent's, with what it left uncommitted", async () => {
    using setting = makeSetting();
    const { base, directory, collect, commit } = await opened(setting);
    commit({ "a.txt": "a\n" }, "One");
    commit({ "a.txt": "b\n" }, "Two");
    writeFiles(directory, { "README.md": "changed\n", "new.txt": "new\n" });
    const work = await collect();
    expect(work).toEqual({
      headCommit: expect.stringMatching(/^[0-9a-f]{40}$/),
      tree: expect.any(String),
      changed: true,
      changes: ["README.md | 2 +-", "a.txt     | 1 +", "new.txt   | 1 +", "3 files changed, 3 insertions(+), 1 deletion(-)"],
    });
    expect(history(setting, base, work.headCommit)).toEqual(["Work", "Two", "One"]);
    expect(git(setting.bare, "log", "-1", "--format=%an <%ae>%n%B", work.headCommit)).toBe(
      "Drover <drover@localhost>\nWork\n\nTask: sample#1",
    );
    expect(
      await setting
        .restarted()
        .collect(setting.project, setting.task(2), base, "x")
        .catch((error: unknown) => error),
    ).toMatchObject({ code: "not_found" });
  });

  test("said twice makes one commit, and a changed tree another", async () => {
    using setting = makeSetting();
    const { base, directory, collect } = await opened(setting);
    writeFiles(directory, { "new.txt": "new\n" });
    const first = await collect();
    expect(await collect()).toEqual(first);
    writeFiles(directory, { "new.txt": "newer\n" });
    const second = await collect();
    expect(second.headCommit).not.toBe(first.headCommit);
    expect(history(setting, base, second.headCommit)).toEqual(["Work"]);
  });

  test("delivers files whatever they are called", async () => {
    using setting = makeSetting();
    const { directory, collect, commit } = await opened(setting);
    commit({ constructor: "a\n" }, "One");
    writeFiles(directory, { toString: "b\n", "sub/__proto__": "c\n" });
    expect(paths(setting, (await collect()).headCommit)).toEqual(["README.md", "constructor", "sub/__proto__", "toString"]);
  });

  test("takes the agent's commits as they are when nothing is left over", async () => {
    using setting = makeSetting();
    const { collect, commit } = await opened(setting);
    const mine = commit({ "a.txt": "a\n" }, "Mine");
    expect(await collect()).toMatchObject({ headCommit: mine, changed: true });
  });

  test("knows when nothing has changed, also after commits that undo each other", async () => {
    using setting = makeSetting();
    const { base, collect, commit } = await opened(setting);
    expect(await collect()).toEqual({ headCommit: base, tree: expect.any(String), changed: false, changes: [] });
    commit({ "README.md": "x\n" }, "Do");
    const undone = commit({ "README.md": "# Sample\n" }, "Undo");
    expect(await collect()).toEqual({ headCommit: undone, tree: expect.any(String), changed: false, changes: [] });
  });

  test("makes one commit on the base when the agent's history does not begin there", async () => {
    using setting = makeSetting();
    const { base, directory, collect, commit } = await opened(setting);
    git(directory, "checkout", "--quiet", "--orphan", "fresh");
    const orphan = commit({ "a.txt": "a\n" }, "No parents");
    const { headCommit } = await collect();
    expect(history(setting, base, headCommit)).toEqual(["Work"]);
    expect(git(setting.bare, "rev-parse", `${headCommit}^`, `${headCommit}^{tree}`)).toBe(
      `${base}\n${git(directory, "rev-parse", `${orphan}^{tree}`)}`,
    );
  });

  test("delivers what is in the files, on whatever branch the agent ended", async () => {
    using setting = makeSetting();
    const { base, directory, collect, commit } = await opened(setting);
    commit({ "a.txt": "abandoned\n" }, "Abandoned");
    git(directory, "checkout", "--quiet", "-b", "better", base);
    commit({ "b.txt": "b\n" }, "Better");
    const { headCommit } = await collect();
    expect(history(setting, base, headCommit)).toEqual(["Better"]);
    expect(paths(setting, headCommit)).toEqual(["README.md", "b.txt"]);
  });

  test("leaves out what agents and systems write for themselves, but not what the base holds", async () => {
    using setting = makeSetting({ remote: true, files: { "a.txt": "a\n", "docs/.DS_Store": "kept\n" } });
    const { directory, collect } = await opened(setting);
    writeFiles(directory, {
      ".claude/settings.local.json": "{}",
      ".claude/settings.json": "{}",
      "sub/.DS_Store": "x",
      "b.txt": "b\n",
      "docs/.DS_Store": "changed\n",
    });
    const { headCommit } = await collect();
    expect(paths(setting, headCommit)).toEqual([".claude/settings.json", "a.txt", "b.txt", "docs/.DS_Store"]);
    expect(git(directory, "status", "--porcelain", "--untracked-files=all")).toBe(" M docs/.DS_Store\n?? .claude/settings.json\n?? b.txt");
  });

  test("stores text as the repository's attributes say, so that line ends make no changes", async () => {
    using setting = makeSetting({ remote: true, files: { ".gitattributes": "* text=auto eol=crlf\n", "a.txt": "one\ntwo\n" } });
    const { directory, collect } = await opened(setting);
    expect(readFileSync(join(directory, "a.txt"), "utf8")).toBe("one\r\ntwo\r\n");
    expect(await collect()).toMatchObject({ changed: false });
    writeFileSync(join(directory, "a.txt"), "one\r\ntwo\r\nthree\r\n");
    expect((await collect()).changes).toEqual(["a.txt | 1 +", "1 file changed, 1 insertion(+)"]);
  });

  test("tells of 300 changed files in at most 50 lines", async () => {
    using setting = makeSetting();
    const { directory, collect } = await opened(setting);
    writeFiles(directory, Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f/${i}.txt`, "x\n"])));
    const { changes } = await collect();
    expect(changes.length).toBeLessThanOrEqual(50);
    expect(changes.at(-1)).toBe("300 files changed, 300 insertions(+)");
  });

  test("refuses a repository of the agent's own, committed or not, but not one in a folder of the project", async () => {
    using setting = makeSetting({ remote: true, files: { "src/a.ts": "a\n" } });
    const { directory, collect } = await opened(setting);
    git(join(directory, "src"), "init", "--quiet");
    writeFiles(directory, { "src/b.ts": "b\n" });
    expect(paths(setting, (await collect()).headCommit)).toEqual(["src/a.ts", "src/b.ts"]);
    makeRepository(join(directory, "vendor/lib"), { files: { "lib.js": "x\n" } });
    await expect(collect()).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("vendor/lib") });
    git(directory, "-c", "advice.addEmbeddedRepo=false", "add", "vendor");
    git(directory, "commit", "--quiet", "--message=With a gitlink");
    await expect(collect()).rejects.toMatchObject({ code: "conflict" });
    rmSync(join(directory, "vendor/lib/.git"), { recursive: true });
    const { headCommit } = await collect();
    expect(paths(setting, headCommit)).toEqual(["src/a.ts", "src/b.ts", "vendor/lib/lib.js"]);
    // The commit with the submodule in it is not published.
    expect(git(setting.bare, "log", "--format=%s", headCommit)).toBe("Work\nFirst");
  });

  describe("with a submodule in the base", () => {
    async function withSubmodule(setting: Setting) {
      const lib = makeRepository(join(setting.folder, "lib"));
      setting.source.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.path, "lib");
      setting.source.commit({ "b.txt": "b\n" }, "Add a submodule");
      return { lib, ...(await opened(setting)) };
    }

    test("keeps it as it is, empty or filled", async () => {
      using setting = makeSetting();
      const { lib, base, directory, collect } = await withSubmodule(setting);
      expect(await collect()).toMatchObject({ headCommit: base, changed: false });
      git(directory, "clone", "--quiet", lib.path, "lib");
      writeFiles(directory, { "c.txt": "c\n" });
      const { headCommit } = await collect();
      expect(paths(setting, headCommit)).toEqual([".gitmodules", "README.md", "b.txt", "c.txt", "lib"]);
      expect(git(setting.bare, "ls-tree", headCommit, "lib")).toBe(git(setting.bare, "ls-tree", base, "lib"));
    });

    test("saves changed and new files in it, and refuses to deliver a tree that does not hold them", async () => {
      using setting = makeSetting();
      const { lib, task, directory, collect } = await withSubmodule(setting);
      git(directory, "clone", "--quiet", lib.path, "lib");
      for (const path of ["lib/README.md", "lib/new.txt"]) {
        writeFiles(directory, { [path]: "changed inside\n" });
        await expect(collect()).rejects.toMatchObject({ code: "conflict", message: expect.stringContaining("submodule lib") });
        const saved = await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
        expect(git(setting.bare, "show", `${saved?.commit}:${path}`)).toBe("changed inside");
      }
    });

    test("follows the agent's commit to another commit of it, or its removal", async () => {
      using setting = makeSetting();
      const { lib, directory, collect } = await withSubmodule(setting);
      const newer = lib.commit({ "new.txt": "x" });
      git(directory, "update-index", "--cacheinfo", `160000,${newer},lib`);
      git(directory, "commit", "--quiet", "--message=Newer lib");
      expect(git(setting.bare, "ls-tree", (await collect()).headCommit, "lib")).toContain(newer);
      git(directory, "rm", "--quiet", "--cached", "lib");
      git(directory, "commit", "--quiet", "--message=No lib");
      writeFiles(directory, { "lib/own.txt": "own\n" });
      expect(paths(setting, (await collect()).headCommit)).toEqual([".gitmodules", "README.md", "b.txt", "lib/own.txt"]);
    });
  });
});

describe("diff", () => {
  test("is the patch from the base to the head, or to a checkpoint", async () => {
    using setting = makeSetting();
    const { task, directory, collect } = await opened(setting);
    writeFiles(directory, { "README.md": "one\n" });
    await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
    const lines = async (checkpoint: number | null) =>
      (await setting.workspaces.diff(setting.project, task, checkpoint)).match(/^[-+][^-+].*$/gm);
    expect(await lines(null)).toEqual(["-# Sample", "+one"]);
    writeFiles(directory, { "README.md": "two\n" });
    await collect();
    expect(await lines(null)).toEqual(["-# Sample", "+two"]);
    expect(await lines(1)).toEqual(["-# Sample", "+one"]);
  });
});

describe("push", () => {
  const push = (setting: Setting, commit: string) => setting.workspaces.push(setting.project, noToken, BRANCH, commit, never);
  const atRemote = (setting: Setting, branch = BRANCH) =>
    git(setting.source.remote, "for-each-ref", "--format=%(objectname)", `refs/heads/${branch}`);

  test("can be repeated, and follows the head when its history was rewritten", async () => {
    using setting = makeSetting();
    const { directory, collect, commit } = await opened(setting);
    commit({ "a.txt": "a\n" }, "One");
    const first = (await collect()).headCommit;
    await push(setting, first);
    await push(setting, first);
    expect(atRemote(setting)).toBe(first);
    git(directory, "commit", "--quiet", "--amend", "--message=One, better");
    const second = (await collect()).headCommit;
    await setting.restarted().push(setting.project, noToken, BRANCH, second, never);
    expect(atRemote(setting)).toBe(second);
    expect(git(setting.source.remote, "for-each-ref", "--format=%(refname)")).toBe(`refs/heads/${BRANCH}\nrefs/heads/main`);
  });

  test("never overwrites what somebody else pushed to the branch", async () => {
    using setting = makeSetting();
    const { base, collect, commit } = await opened(setting);
    commit({ "a.txt": "a\n" }, "One");
    const first = (await collect()).headCommit;
    git(setting.source.path, "push", "--quiet", "origin", `main:refs/heads/${BRANCH}`);
    await expect(push(setting, first)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("moved by somebody else"),
    });
    expect(atRemote(setting)).toBe(base);
    git(setting.source.path, "push", "--quiet", "--delete", "origin", BRANCH);
    await push(setting, first);
    git(setting.source.path, "fetch", "--quiet", "origin", BRANCH);
    setting.source.git("checkout", "--quiet", "FETCH_HEAD");
    setting.source.git("commit", "--quiet", "--allow-empty", "--message=A person's");
    setting.source.git("push", "--quiet", "origin", `HEAD:refs/heads/${BRANCH}`);
    const theirs = setting.source.git("rev-parse", "HEAD");
    commit({ "a.txt": "b\n" }, "Two");
    await expect(push(setting, (await collect()).headCommit)).rejects.toMatchObject({ code: "conflict" });
    expect(atRemote(setting)).toBe(theirs);
  });

  test("makes a branch anew that somebody deleted", async () => {
    using setting = makeSetting();
    const { collect, commit } = await opened(setting);
    commit({ "a.txt": "a\n" }, "One");
    const { headCommit } = await collect();
    await push(setting, headCommit);
    git(setting.source.path, "push", "--quiet", "--delete", "origin", BRANCH);
    await push(setting, headCommit);
    expect(atRemote(setting)).toBe(headCommit);
  });

  test("goes on after a crash between the push and our note of it", async () => {
    using setting = makeSetting();
    const { collect, commit } = await opened(setting);
    commit({ "a.txt": "a\n" }, "One");
    const first = (await collect()).headCommit;
    await push(setting, first);
    commit({ "a.txt": "b\n" }, "Two");
    const second = (await collect()).headCommit;
    await push(setting, second);
    git(setting.bare, "update-ref", `refs/drover/pushed/${BRANCH}`, first);
    commit({ "a.txt": "c\n" }, "Three");
    const third = (await collect()).headCommit;
    await setting.restarted().push(setting.project, noToken, BRANCH, third, never);
    expect(atRemote(setting)).toBe(third);
  });

  test("to the person's own repository makes the branch there and touches neither checkout nor hooks of ours", async () => {
    using setting = makeSetting({ dirty: true });
    const { collect, commit } = await opened(setting);
    const before = setting.source.git("status", "--porcelain", "--branch");
    commit({ "a.txt": "a\n" }, "One");
    const { headCommit } = await collect();
    mkdirSync(join(setting.bare, "hooks"), { recursive: true });
    writeFileSync(join(setting.bare, "hooks", "pre-push"), `#!/bin/sh\ntouch ${setting.folder}/hooked\n`, { mode: 0o755 });
    await push(setting, headCommit);
    expect(setting.source.git("rev-parse", BRANCH)).toBe(headCommit);
    expect(setting.source.git("status", "--porcelain", "--branch")).toBe(before);
    expect(existsSync(join(setting.folder, "hooked"))).toBe(false);
    setting.source.git("stash", "--quiet", "--include-untracked");
    setting.source.git("checkout", "--quiet", BRANCH);
    commit({ "a.txt": "b\n" }, "Two");
    await expect(push(setting, (await collect()).headCommit)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining("checked out there"),
    });
    expect(setting.source.git("rev-parse", BRANCH)).toBe(headCommit);
  });

  test("tells why the remote declined it", async () => {
    using setting = makeSetting();
    const { base } = await opened(setting);
    writeFileSync(join(setting.source.remote, "hooks", "pre-receive"), "#!/bin/sh\necho 'GH013: no pushes today' >&2\nexit 1\n", {
      mode: 0o755,
    });
    await expect(push(setting, base)).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringMatching(/pre-receive hook declined.*GH013: no pushes today/),
    });
    await expect(setting.workspaces.push(setting.project, noToken, "-x:main", base, never)).rejects.toMatchObject({ code: "invalid" });
    await expect(push(setting, "ab".repeat(20))).rejects.toMatchObject({ code: "not_found" });
    expect(atRemote(setting)).toBe("");
  });
});
