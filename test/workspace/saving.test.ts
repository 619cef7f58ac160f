import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Task } from "../../src/contract/task.ts";
import { git, writeFiles } from "../support/repository.ts";
import { gitEnv, makeSetting, never, noToken, type Setting } from "./setting.ts";

async function opened(setting: Setting, number = 1) {
  const task = setting.task(number);
  const base = await setting.workspaces.fetchBase(setting.project, noToken, never);
  const { directory } = await setting.workspaces.open(setting.project, task, base, never);
  const save = (at = 1000, reason = "agent_ended") => setting.workspaces.checkpoint(setting.project, task, reason, at);
  return { task, base, directory, save };
}

/** The files of a saved state as path to content; what is no regular file shows its mode. */
function filesOf(setting: Setting, commit: string): Record<string, string> {
  const entries = git(setting.bare, "ls-tree", "-r", "-z", commit).split("\0").filter(Boolean);
  return Object.fromEntries(
    entries.map((entry) => {
      const [mode, , id = "", path = ""] = /^(\d+) (\w+) (\w+)\t([\s\S]+)$/.exec(entry)?.slice(1) ?? [];
      const content = mode === "160000" ? id : spawnSync("git", ["cat-file", "blob", id], { cwd: setting.bare, encoding: "utf8" }).stdout;
      return [path, mode === "100644" ? content : `${mode} ${content}`];
    }),
  );
}

function isKept(setting: Setting, commit: string): boolean {
  return git(setting.bare, "for-each-ref", "--contains", commit, "refs/drover").length > 0;
}

/** Root may read and write everything; so this is done by a process that has given that right up. */
function withoutPrivileges(action: "checkpoint" | "remove", setting: Setting, task: Task): unknown {
  const request = JSON.stringify({ action, home: setting.home, project: setting.project, task });
  const program = [process.execPath, join(import.meta.dirname, "../programs/use-workspace.ts"), request];
  const argv = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", ...program] : program;
  // Node hands the folder for coverage on to children; what they write there, of other text than vitest's, spoils the report.
  return JSON.parse(execFileSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8", env: { ...gitEnv, NODE_V8_COVERAGE: "" } }));
}

describe("a checkpoint", () => {
  test("holds changed, new, removed, renamed and executable files, and is told with its reason and time", async () => {
    using setting = makeSetting({ remote: true, files: { "a.txt": "a\n", "b.txt": "b\n", "c.txt": "c\n", ".gitignore": "ignored/\n" } });
    const { task, base, directory, save } = await opened(setting);
    writeFiles(directory, { "a.txt": "changed\n", "new/deep/file.txt": "new\n", "ignored/x": "not work\n", empty: "" });
    rmSync(join(directory, "b.txt"));
    renameSync(join(directory, "c.txt"), join(directory, "moved.txt"));
    writeFileSync(join(directory, "run"), "#!/bin/sh\n", { mode: 0o755 });
    const first = await save(1234, "timed_out");

    expect(first).toEqual({ index: 1, commit: expect.stringMatching(/^[0-9a-f]{40}$/), at: 1234, reason: "timed_out" });
    expect(filesOf(setting, first?.commit ?? "")).toEqual({
      ".gitignore": "ignored/\n",
      "a.txt": "changed\n",
      empty: "",
      "moved.txt": "c\n",
      "new/deep/file.txt": "new\n",
      run: "100755 #!/bin/sh\n",
    });
    expect(git(setting.bare, "rev-parse", `${first?.commit}^`)).toBe(base);
    expect(await setting.workspaces.checkpoints(setting.project, task)).toEqual([first]);
    expect(git(directory, "status", "--porcelain").split("\n")).toHaveLength(7); // untouched
  });

  test("is among those that are listed as soon as it is made, and git is not asked for them twice", async () => {
    using setting = makeSetting();
    const { task, directory, save } = await opened(setting);
    const listed = () => setting.workspaces.checkpoints(setting.project, task);
    expect(await listed()).toEqual([]);
    const first = await save(1);
    expect(await listed()).toEqual([first]);
    git(setting.bare, "update-ref", "-d", `refs/drover/tasks/${task.id}/checkpoints/1`);
    expect(await listed()).toEqual([first]);
    writeFiles(directory, { "README.md": "a\n" });
    const again = await save(2);
    expect(await listed()).toEqual([again]);
  });

  test("is made only when something has changed since the last", async () => {
    using setting = makeSetting();
    const { task, directory, save } = await opened(setting);
    const first = await save(1);
    expect(await save(2)).toEqual(first);
    writeFiles(directory, { "README.md": "a\n" });
    const second = await save(3, "stopping");
    git(directory, "commit", "--quiet", "--all", "--message=Same files, now committed");
    const third = await save(4);
    expect(await setting.restarted().checkpoint(setting.project, task, "restart", 5)).toEqual(third);
    expect([first?.index, second?.index, third?.index]).toEqual([1, 2, 3]);
    expect(await setting.workspaces.checkpoints(setting.project, task)).toEqual([first, second, third]);
  });

  test("sees a change of the same length within the same second", async () => {
    using setting = makeSetting();
    const { directory, save } = await opened(setting);
    const path = join(directory, "README.md");
    for (const content of ["# one 1\n", "# two 2\n", "# thr 3\n"]) {
      writeFileSync(path, content);
      // As a file system with times in whole seconds has it.
      const second = Math.floor(lstatSync(path).mtimeMs / 1000);
      utimesSync(path, second, second);
      expect(filesOf(setting, (await save())?.commit ?? "")["README.md"]).toBe(content);
    }
  });

  test("needs nothing of the last one: not its index, nor one that a killed git left locked", async () => {
    using setting = makeSetting({ remote: true, files: { ".gitignore": "*.log\n", "kept.log": "in the base\n" } });
    // Ignored, but held by the base all the same.
    setting.source.git("add", "--force", "kept.log");
    setting.source.commit({}, "Force");
    const { directory, save } = await opened(setting);
    writeFiles(directory, { "a.txt": "a\n", "dropped.log": "x" });
    const first = await save();
    const [index] = readdirSync(join(setting.bare, "workspaces")).filter((name) => name.endsWith(".index"));
    writeFileSync(join(setting.bare, "workspaces", `${index}.lock`), "");
    rmSync(join(setting.bare, "workspaces", index ?? ""));
    expect(await setting.restarted().checkpoint(setting.project, setting.task(2), "x", 1)).toBeNull();
    expect(await save()).toEqual(first);
    expect(filesOf(setting, first?.commit ?? "")).toEqual({ ".gitignore": "*.log\n", "a.txt": "a\n", "kept.log": "in the base\n" });
  });

  test("keeps the agent's commits, branches, tags, stashes, detached and abandoned commits", async () => {
    using setting = makeSetting();
    const { directory, save } = await opened(setting);
    const commits: string[] = [];
    const commit = (message: string) => {
      appendFileSync(join(directory, "README.md"), `${message}\n`);
      git(directory, "commit", "--quiet", "--all", `--message=${message}`);
      commits.push(git(directory, "rev-parse", "HEAD"));
    };
    commit("on the branch");
    git(directory, "checkout", "--quiet", "-b", "idea");
    commit("on an idea");
    git(directory, "tag", "--annotate", "--message=note", "v1");
    git(directory, "checkout", "--quiet", "--detach");
    commit("detached");
    git(directory, "checkout", "--quiet", "drover/1-fix-it");
    for (const note of ["first stash", "second stash"]) {
      appendFileSync(join(directory, "README.md"), note);
      git(directory, "stash", "push", "--quiet", "--include-untracked", `--message=${note}`);
      commits.push(git(directory, "rev-parse", "stash"));
    }
    commit("amended away");
    git(directory, "commit", "--quiet", "--amend", "--message=amended");
    commit("reset away");
    git(directory, "reset", "--quiet", "--hard", "HEAD~1");
    git(directory, "branch", "--quiet", "--delete", "--force", "idea");
    git(directory, "worktree", "add", "--quiet", "--detach", "../elsewhere");
    const worktree = join(directory, "..", "elsewhere");
    git(worktree, "commit", "--quiet", "--allow-empty", "--message=in a worktree");
    commits.push(git(worktree, "rev-parse", "HEAD"), git(directory, "rev-parse", "HEAD"), git(directory, "rev-parse", "v1"));

    const saved = await save();
    for (const one of commits) expect([one, isKept(setting, one)]).toEqual([one, true]);
    expect(git(setting.bare, "rev-parse", `${saved?.commit}^`)).toBe(git(directory, "rev-parse", "HEAD"));
    // Few refs keep many commits.
    expect(git(setting.bare, "for-each-ref", "refs/drover/tasks").split("\n").length).toBeLessThan(14);
    expect(await save()).toEqual(saved);
  });

  test("keeps what is staged and nowhere else", async () => {
    using setting = makeSetting();
    const { directory, save } = await opened(setting);
    writeFiles(directory, { "staged.txt": "only staged\n", "README.md": "staged\n" });
    git(directory, "add", ".");
    rmSync(join(directory, "staged.txt"));
    writeFiles(directory, { "README.md": "in the file\n" });
    const { commit } = (await save()) ?? {};
    expect(filesOf(setting, commit ?? "")).toEqual({ "README.md": "in the file\n" });
    const kept = git(setting.bare, "for-each-ref", "--format=%(objectname)", "refs/drover/tasks/*/agent/*").split("\n");
    expect(kept.map((one) => filesOf(setting, one))).toEqual([{ "README.md": "staged\n", "staged.txt": "only staged\n" }]);
    writeFiles(directory, { "README.md": "changed again\n" });
    await save();
    expect(git(setting.bare, "for-each-ref", "--format=%(objectname)", "refs/drover/tasks/*/agent/*").split("\n")).toEqual(kept);
  });

  test("is made in the middle of a merge conflict and of a rebase", async () => {
    using setting = makeSetting();
    const { directory, save } = await opened(setting);
    git(directory, "checkout", "--quiet", "-b", "other");
    writeFiles(directory, { "README.md": "other\n" });
    git(directory, "commit", "--quiet", "--all", "--message=other");
    git(directory, "checkout", "--quiet", "drover/1-fix-it");
    writeFiles(directory, { "README.md": "mine\n" });
    git(directory, "commit", "--quiet", "--all", "--message=mine");
    const mine = git(directory, "rev-parse", "HEAD");
    writeFiles(directory, { "staged.txt": "staged\n" });
    git(directory, "add", "staged.txt");
    spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@x", "rebase", "--autostash", "other"], { cwd: directory });
    expect(git(directory, "status", "--porcelain")).toContain("UU README.md");
    const saved = await save();
    expect(filesOf(setting, saved?.commit ?? "")["README.md"]).toContain("<<<<<<<");
    expect(isKept(setting, mine)).toBe(true);
  });

  test("takes what the agent tracks although it is ignored", async () => {
    using setting = makeSetting({ remote: true, files: { ".gitignore": "build/\n" } });
    const { directory, save } = await opened(setting);
    writeFiles(directory, { "build/out.js": "one\n", "build/other.js": "x\n" });
    git(directory, "add", "--force", "build/out.js");
    git(directory, "commit", "--quiet", "--message=Forced");
    writeFiles(directory, { "build/out.js": "two\n" });
    expect(filesOf(setting, (await save())?.commit ?? "")).toEqual({ ".gitignore": "build/\n", "build/out.js": "two\n" });
  });

  test("keeps names as they are: newlines, quotes, spaces, CJK, emoji, combining marks", async () => {
    using setting = makeSetting();
    const { task, base, directory, save } = await opened(setting);
    const files = {
      "new\nline": "1",
      'qu"ote\\': "2",
      " space ": "3",
      "日本語/ファイル.txt": "4",
      "🚀👩‍👩‍👧.md": "5",
      "e\u0301/é": "6",
      "-rf": "7",
      "a:b*c?": "8",
      "#x": "9",
    };
    writeFiles(directory, files);
    expect(filesOf(setting, (await save())?.commit ?? "")).toEqual({ "README.md": "# Sample\n", ...files });
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0x66, 0xff])]), "not UTF-8");
    const odd = await save();
    expect(git(setting.bare, "-c", "core.quotePath=true", "ls-tree", "--name-only", odd?.commit ?? "")).toContain('"f\\377"');
    rmSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0x66, 0xff])]));
    const { headCommit } = await setting.workspaces.collect(setting.project, task, base, "日本語 🚀");
    expect(filesOf(setting, headCommit)).toEqual({ "README.md": "# Sample\n", ...files });
    expect(git(setting.bare, "log", "-1", "--format=%s", headCommit)).toBe("日本語 🚀");
  });

  test("stores links as links, and never follows one out of the workspace", async () => {
    using setting = makeSetting({ remote: true, files: { "folder/a.txt": "a\n", "b.txt": "b\n" } });
    const { directory, save } = await opened(setting);
    writeFiles(setting.folder, { "secret/a.txt": "secret\n" });
    rmSync(join(directory, "folder"), { recursive: true });
    symlinkSync(join(setting.folder, "secret"), join(directory, "folder"));
    symlinkSync("/etc/passwd", join(directory, "passwd"));
    symlinkSync("nowhere", join(directory, "dangling"));
    expect(filesOf(setting, (await save())?.commit ?? "")).toEqual({
      "b.txt": "b\n",
      dangling: "120000 nowhere",
      folder: `120000 ${join(setting.folder, "secret")}`,
      passwd: "120000 /etc/passwd",
    });
  });

  test("goes around pipes and sockets, which hold nothing, also in the place of a file", async () => {
    using setting = makeSetting({ remote: true, files: { "a.txt": "a\n", "b.txt": "b\n" } });
    const { task, directory, save } = await opened(setting);
    rmSync(join(directory, "a.txt"));
    spawnSync("mkfifo", [join(directory, "a.txt"), join(directory, "pipe")]);
    const server = createServer().listen(join(directory, "socket"));
    await new Promise((resolve) => server.once("listening", resolve));
    expect(filesOf(setting, (await save())?.commit ?? "")).toEqual({ "b.txt": "b\n" });
    server.close();
    await setting.workspaces.remove(setting.project, task, 1);
    expect(existsSync(directory)).toBe(false);
  });

  test("holds a file of 200 MB", async () => {
    using setting = makeSetting();
    const { directory, save } = await opened(setting);
    writeFileSync(join(directory, "large.bin"), "end");
    truncateSync(join(directory, "large.bin"), 200 * 1024 * 1024);
    const { commit } = (await save()) ?? {};
    expect(git(setting.bare, "cat-file", "-s", `${commit}:large.bin`)).toBe(String(200 * 1024 * 1024));
  });

  test("opens repositories in the workspace: their files, new ones and in depth, and their commits", async () => {
    using setting = makeSetting({ remote: true, files: { "src/a.ts": "a\n" } });
    const { directory, save } = await opened(setting);
    const [sub, deep, empty, src] = ["sub", "sub/deep", "empty", "src"].map((name) => join(directory, name));
    for (const folder of [sub, deep, empty, src]) {
      mkdirSync(folder ?? "", { recursive: true });
      git(folder ?? "", "init", "--quiet");
    }
    writeFiles(directory, { "sub/committed.txt": "1\n", "sub/deep/deeper.txt": "2\n", "src/b.ts": "b\n" });
    git(sub ?? "", "add", "committed.txt");
    git(sub ?? "", "commit", "--quiet", "--message=inside");
    const inside = git(sub ?? "", "rev-parse", "HEAD");
    const first = await save();
    expect(filesOf(setting, first?.commit ?? "")).toEqual({
      "src/a.ts": "a\n",
      "src/b.ts": "b\n",
      "sub/committed.txt": "1\n",
      "sub/deep/deeper.txt": "2\n",
    });
    expect(isKept(setting, inside)).toBe(true);
    writeFiles(directory, { "sub/later.txt": "3\n", "sub/deep/deeper.txt": "4\n" });
    expect(filesOf(setting, (await save())?.commit ?? "")).toMatchObject({ "sub/later.txt": "3\n", "sub/deep/deeper.txt": "4\n" });
    expect(await save()).toMatchObject({ index: 2 });
  });
});

describe("a broken or replaced .git", () => {
  test.each<[string, (directory: string, setting: Setting) => void]>([
    ["removed", (directory) => rmSync(join(directory, ".git"), { recursive: true })],
    [
      "a link to another repository",
      (directory, setting) => {
        rmSync(join(directory, ".git"), { recursive: true });
        symlinkSync(join(setting.source.path, ".git"), join(directory, ".git"));
      },
    ],
    [
      "a file that points to another repository",
      (directory, setting) => {
        rmSync(join(directory, ".git"), { recursive: true });
        writeFileSync(join(directory, ".git"), `gitdir: ${join(setting.source.path, ".git")}\n`);
      },
    ],
    ["without HEAD", (directory) => rmSync(join(directory, ".git", "HEAD"))],
    ["with HEAD pointing nowhere", (directory) => writeFileSync(join(directory, ".git", "HEAD"), "ref: ../../etc/passwd\n")],
    ["with a HEAD that is no commit of it", (directory) => writeFileSync(join(directory, ".git", "HEAD"), `${"ab".repeat(20)}\n`)],
    ["with a configuration that git can't read", (directory) => writeFileSync(join(directory, ".git", "config"), "[[[")],
  ])("%s: the files are saved all the same, and nothing of the other repository is taken", async (_name, breakIt) => {
    using setting = makeSetting();
    const { task, base, directory, save } = await opened(setting);
    writeFiles(setting.source.path, { "secret.txt": "of the person\n" });
    setting.source.git("add", ".");
    setting.source.git("commit", "--quiet", "--message=secret");
    const secret = setting.source.git("rev-parse", "HEAD");
    writeFiles(directory, { "work.txt": "work\n" });
    breakIt(directory, setting);
    const saved = await save();
    expect(filesOf(setting, saved?.commit ?? "")).toEqual({ "README.md": "# Sample\n", "work.txt": "work\n" });
    expect(git(setting.bare, "rev-parse", `${saved?.commit}^`)).toBe(base);
    expect(spawnSync("git", ["cat-file", "-e", secret], { cwd: setting.bare }).status).not.toBe(0);
    const { headCommit } = await setting.workspaces.collect(setting.project, task, base, "Work");
    expect(filesOf(setting, headCommit)).toEqual({ "README.md": "# Sample\n", "work.txt": "work\n" });
    await setting.workspaces.remove(setting.project, task, 1);
    expect([existsSync(directory), existsSync(join(setting.source.path, "secret.txt"))]).toEqual([false, true]);
  });

  test("a .git that was moved within the workspace is still read", async () => {
    using setting = makeSetting();
    const { directory, save } = await opened(setting);
    git(directory, "commit", "--quiet", "--allow-empty", "--message=mine");
    const mine = git(directory, "rev-parse", "HEAD");
    renameSync(join(directory, ".git"), join(directory, "moved.git"));
    writeFileSync(join(directory, ".git"), "gitdir: moved.git\n");
    writeFileSync(join(directory, ".gitignore"), "moved.git\n");
    await save();
    expect(isKept(setting, mine)).toBe(true);
  });

  test.each<[string, (gitDirectory: string, other: string) => void]>([
    ["alternates", (gitDirectory, other) => writeFileSync(join(gitDirectory, "objects/info/alternates"), `${other}/objects\n`)],
    [
      "a linked pack folder",
      (gitDirectory, other) => {
        rmSync(join(gitDirectory, "objects/pack"), { recursive: true });
        symlinkSync(join(other, "objects/pack"), join(gitDirectory, "objects/pack"));
      },
    ],
    [
      "a linked object",
      (gitDirectory, other) => {
        const id = git(other, "rev-parse", "HEAD");
        const place = `objects/${id.slice(0, 2)}`;
        mkdirSync(join(gitDirectory, place), { recursive: true });
        symlinkSync(join(other, place, id.slice(2)), join(gitDirectory, place, id.slice(2)));
      },
    ],
  ])(
    "objects of another repository (%s) are not taken: the files are saved, the rest is refused and the workspace kept",
    async (_name, borrow) => {
      using setting = makeSetting();
      const { task, directory, save } = await opened(setting);
      writeFiles(setting.source.path, { "secret.txt": "of another project\n" });
      setting.source.git("add", ".");
      setting.source.git("commit", "--quiet", "--message=secret");
      const secret = setting.source.git("rev-parse", "HEAD");
      borrow(join(directory, ".git"), join(setting.source.path, ".git"));
      writeFileSync(join(directory, ".git", "refs/heads/stolen"), `${secret}\n`);
      writeFiles(directory, { "work.txt": "work\n" });
      await expect(save()).rejects.toMatchObject({ code: "conflict" });
      expect(spawnSync("git", ["cat-file", "-e", secret], { cwd: setting.bare }).status).not.toBe(0);
      const [saved] = await setting.workspaces.checkpoints(setting.project, task);
      expect(filesOf(setting, saved?.commit ?? "")).toMatchObject({ "work.txt": "work\n" });
      await expect(setting.workspaces.remove(setting.project, task, 1)).rejects.toMatchObject({ code: "conflict" });
      expect(existsSync(join(directory, "work.txt"))).toBe(true);
    },
  );
});

describe("what can't be saved", () => {
  test("is named, the rest is saved, and the workspace is never removed", async () => {
    using setting = makeSetting();
    const { task, base, directory, save } = await opened(setting);
    writeFiles(directory, { "good.txt": "good\n", ".GIT/x": "no name for git\n", "git~1": "neither\n" });
    await expect(save()).rejects.toMatchObject({ code: "conflict", message: expect.stringMatching(/\.GIT\/x.*git~1/) });
    const [saved] = await setting.workspaces.checkpoints(setting.project, task);
    expect(filesOf(setting, saved?.commit ?? "")).toEqual({ "README.md": "# Sample\n", "good.txt": "good\n" });
    await expect(setting.workspaces.collect(setting.project, task, base, "x")).rejects.toMatchObject({ code: "conflict" });
    await expect(setting.workspaces.remove(setting.project, task, 1)).rejects.toMatchObject({ code: "conflict" });
    expect(await setting.workspaces.sweep([setting.project], [], () => false)).toBe(0);
    expect(readFileSync(join(directory, ".GIT/x"), "utf8")).toBe("no name for git\n");
    rmSync(join(directory, ".GIT"), { recursive: true });
    rmSync(join(directory, "git~1"));
    expect(await setting.workspaces.sweep([setting.project], [], () => false)).toBe(1);
    expect(existsSync(directory)).toBe(false);
  });

  test.each([
    ["closed.txt", "closed.txt", /closed.*Permission denied/],
    ["closed/inside.txt", "closed", /closed.*Permission denied/],
    ["tracked/a.txt", "tracked", /tracked.*Permission denied/],
    [".git/description", ".git", /permission denied.*\.git/],
    [".git/objects/00/x", ".git/objects/00", /permission denied.*objects\/00/],
    [".git/logs/x", ".git/logs", /permission denied.*logs/],
  ])("is named when it may not be read: %s", async (path, closed, words) => {
    using setting = makeSetting({ remote: true, files: { "README.md": "# Sample\n", "tracked/a.txt": "a\n" } });
    const { task, directory } = await opened(setting);
    writeFiles(directory, { [path]: "can't be read\n", "good.txt": "good\n" });
    chmodSync(join(directory, closed), 0o000);
    const { message } = withoutPrivileges("checkpoint", setting, task) as { message?: string };
    chmodSync(join(directory, closed), 0o700);
    expect(message).toMatch(/could be saved, so it is kept/);
    expect(message).toMatch(words);
    const [saved] = await setting.workspaces.checkpoints(setting.project, task);
    expect(filesOf(setting, saved?.commit ?? "")).toMatchObject({
      "README.md": "# Sample\n",
      "good.txt": "good\n",
      "tracked/a.txt": expect.any(String),
    });
    if (closed === ".git/objects/00") rmSync(join(directory, closed), { recursive: true });
    expect(withoutPrivileges("checkpoint", setting, task)).toMatchObject({ index: expect.any(Number) });
  });

  test("a corrupt commit of the agent is told, with the files saved", async () => {
    using setting = makeSetting();
    const { task, directory, save } = await opened(setting);
    writeFiles(directory, { "a.txt": "a\n" });
    git(directory, "add", ".");
    git(directory, "commit", "--quiet", "--message=mine");
    const tree = git(directory, "rev-parse", "HEAD^{tree}");
    const object = join(directory, ".git/objects", tree.slice(0, 2), tree.slice(2));
    chmodSync(object, 0o644);
    writeFileSync(object, "garbage");
    await expect(save()).rejects.toMatchObject({ code: "conflict" });
    const [saved] = await setting.workspaces.checkpoints(setting.project, task);
    expect(filesOf(setting, saved?.commit ?? "")).toEqual({ "README.md": "# Sample\n", "a.txt": "a\n" });
    expect(existsSync(directory)).toBe(true);
  });
});

describe("removing a workspace", () => {
  test("saves it first; what was in it is there again after a restore", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    writeFiles(directory, { "README.md": "changed\n", "new.txt": "new\n" });
    symlinkSync("new.txt", join(directory, "link"));
    await setting.workspaces.remove(setting.project, task, 77);
    expect(readdirSync(join(directory, ".."))).toEqual([]);
    const [saved] = await setting.workspaces.checkpoints(setting.project, task);
    expect(saved).toMatchObject({ index: 1, at: 77, reason: "removing" });
    const to = join(setting.folder, "restored", "here");
    expect(await setting.workspaces.restore(setting.project, task, null, to)).toEqual({ path: to, commit: saved?.commit, checkpoint: 1 });
    expect(readFileSync(join(to, "new.txt"), "utf8")).toBe("new\n");
    expect(readlinkSync(join(to, "link"))).toBe("new.txt");
    expect(git(to, "status", "--porcelain", "--branch")).toBe("## drover/1-fix-it");
    expect(git(to, "rev-parse", "HEAD", "HEAD~1")).toBe(`${saved?.commit}\n${base}`);
    expect(git(to, "remote", "get-url", "origin")).toBe(setting.source.remote);
  });

  test("can be repeated, and does nothing where there is none", async () => {
    using setting = makeSetting();
    const { task } = await opened(setting);
    await setting.workspaces.remove(setting.project, task, 1);
    await setting.workspaces.remove(setting.project, task, 2);
    await setting.restarted().remove(setting.project, setting.task(9), 3);
    expect(await setting.workspaces.checkpoint(setting.project, task, "x", 4)).toBeNull();
    expect(await setting.workspaces.checkpoints(setting.project, task)).toHaveLength(1);
  });

  test("leaves the next workspace of the task to begin anew", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    writeFiles(directory, { "old.txt": "old\n" });
    await setting.workspaces.remove(setting.project, task, 1);
    expect(await setting.workspaces.open(setting.project, task, base, never)).toEqual({
      directory,
      baseCommit: base,
      fresh: true,
      movedFrom: null,
      conflicts: [],
      note: null,
    });
    expect(readdirSync(directory).toSorted()).toEqual([".git", "README.md"]);
    await setting.workspaces.remove(setting.project, task, 2);
    expect(await setting.workspaces.checkpoints(setting.project, task)).toHaveLength(2);
  });

  test("packs what has come together, and all of it is still there", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    git(directory, "commit", "--quiet", "--allow-empty", "--message=mine");
    const mine = git(directory, "rev-parse", "HEAD");
    git(directory, "reset", "--quiet", "--hard", base);
    writeFiles(directory, Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`f/${i % 15}/${i}.txt`, `${i}\n`])));
    await setting.workspaces.remove(setting.project, task, 1);
    expect(git(setting.bare, "count-objects", "-v")).toMatch(/^count: \d{1,2}$/m);
    expect(git(setting.bare, "fsck", "--no-dangling")).toBe("");
    expect(isKept(setting, mine)).toBe(true);
    const to = join(setting.folder, "restored");
    await setting.workspaces.restore(setting.project, task, 1, to);
    expect(readFileSync(join(to, "f/14/1499.txt"), "utf8")).toBe("1499\n");
  });

  test("goes through folders that may not be written to", async () => {
    using setting = makeSetting({ remote: true, files: { ".gitignore": "cache\n" } });
    const { task, directory } = await opened(setting);
    writeFiles(directory, { "cache/module/file": "x" });
    chmodSync(join(directory, "cache/module"), 0o555);
    expect(withoutPrivileges("remove", setting, task)).toBeNull();
    expect(existsSync(directory)).toBe(false);
  });

  test("sweeps only what nobody wants, and no folder that is not ours", async () => {
    using setting = makeSetting();
    const [kept, unwanted] = [await opened(setting, 1), await opened(setting, 2)];
    const foreign = join(unwanted.directory, "..", "3-of-a-person");
    writeFiles(foreign, { "x.txt": "x" });
    expect(await setting.restarted().sweep([setting.project], [], (id) => id === kept.task.id)).toBe(1);
    expect([kept.directory, unwanted.directory, foreign].map((path) => existsSync(path))).toEqual([true, false, true]);
  });
});

describe("restoring", () => {
  test("gives back each state of the work, whatever was lost since", async () => {
    using setting = makeSetting();
    const { task, base, directory, save } = await opened(setting);
    writeFiles(directory, { "a.txt": "one\n" });
    await save(1);
    git(directory, "add", ".");
    git(directory, "commit", "--quiet", "--message=two");
    writeFiles(directory, { "a.txt": "two, uncommitted\n" });
    await save(2);
    const { headCommit } = await setting.workspaces.collect(setting.project, task, base, "Rest");
    git(directory, "reset", "--quiet", "--hard", base);
    rmSync(join(directory, ".git"), { recursive: true });
    await save(3);
    rmSync(directory, { recursive: true });

    const read = async (checkpoint: number | null) => {
      const to = join(setting.folder, `to-${checkpoint}`);
      const answer = await setting.restarted().restore(setting.project, task, checkpoint, to);
      return [
        answer.checkpoint,
        git(to, "log", "--format=%s"),
        existsSync(join(to, "a.txt")) ? readFileSync(join(to, "a.txt"), "utf8") : null,
      ];
    };
    expect(await read(1)).toEqual([1, "agent_ended\nFirst", "one\n"]);
    expect(await read(2)).toEqual([2, "agent_ended\ntwo\nFirst", "two, uncommitted\n"]);
    expect(await read(3)).toEqual([3, "agent_ended\nFirst", null]);
    expect(await read(null)).toEqual([null, "Rest\ntwo\nFirst", "two, uncommitted\n"]);
    expect(headCommit).toBe(git(join(setting.folder, "to-null"), "rev-parse", "HEAD"));
  });

  test("refuses a folder that exists, a checkpoint that does not, and a task without any", async () => {
    using setting = makeSetting();
    const { task, save } = await opened(setting);
    const { workspaces, project } = setting;
    await expect(workspaces.restore(project, task, null, join(setting.folder, "x"))).rejects.toMatchObject({ code: "not_found" });
    await expect(workspaces.diff(project, task, null)).rejects.toMatchObject({ code: "not_found" });
    await save();
    await expect(workspaces.restore(project, task, 7, join(setting.folder, "x"))).rejects.toMatchObject({ code: "not_found" });
    await expect(workspaces.diff(project, task, 7)).rejects.toMatchObject({ code: "not_found" });
    await expect(workspaces.restore(project, task, 1, setting.source.path)).rejects.toMatchObject({ code: "conflict" });
    await expect(workspaces.restore(project, task, 1, "relative")).rejects.toMatchObject({ code: "invalid" });
    expect(existsSync(join(setting.source.path, "README.md"))).toBe(true);
  });
});
