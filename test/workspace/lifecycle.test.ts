import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { git, makeRepository, writeFiles } from "../support/repository.ts";
import { makeProject, makeSetting, makeTask, never, noToken, type Setting } from "./setting.ts";

async function opened(setting: Setting, number = 1, title = "Fix it") {
  const task = setting.task(number, title);
  const base = await setting.workspaces.fetchBase(setting.project, noToken, never);
  const workspace = await setting.workspaces.open(setting.project, task, base, never);
  return { task, base, directory: workspace.directory, workspace };
}

describe("a workspace", () => {
  test("is a repository on the task's branch at the newest base, that knows the base's branch and a remote that leads nowhere", async () => {
    using setting = makeSetting();
    setting.source.commit({ "src/a.ts": "a\n" });
    const base = setting.source.commit({ "src/a.ts": "b\n" });
    const { directory, workspace } = await opened(setting, 12, "Fix the Login 日本!");

    expect(workspace).toEqual({
      directory: join(setting.home, "workspaces", "sample", "12-fix-the-login"),
      baseCommit: base,
      fresh: true,
      movedFrom: null,
      conflicts: [],
      note: null,
    });
    expect(git(directory, "status", "--porcelain", "--branch")).toBe("## drover/12-fix-the-login");
    expect(git(directory, "rev-parse", "HEAD", "origin/main")).toBe(`${base}\n${base}`);
    expect(git(directory, "remote", "get-url", "origin")).toBe("drover::workspace");
    expect(git(directory, "config", "--local", "user.email")).toBe("drover@localhost");
    expect(readFileSync(join(directory, "src/a.ts"), "utf8")).toBe("b\n");
    expect(git(directory, "log", "--oneline").split("\n")).toHaveLength(3);
    expect(git(directory, "fsck", "--strict")).toBe("");
    expect(readdirSync(join(directory, "..")).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("shares no file with our repository: not even by a hard link", async () => {
    using setting = makeSetting();
    const { directory } = await opened(setting);
    const objects = join(directory, ".git", "objects");
    expect(existsSync(join(objects, "info", "alternates"))).toBe(false);
    const files = readdirSync(objects, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect(statSync(join(file.parentPath, file.name)).nlink).toBe(1);
  });

  test("is found again by the next daemon, as it was left, with the base it was cut from", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    writeFiles(directory, { "new.txt": "work\n" });
    setting.source.commit({ "later.txt": "later\n" });
    const again = setting.restarted();
    const newer = await again.fetchBase(setting.project, noToken, never);
    expect(newer).not.toBe(base);
    expect(await again.open(setting.project, task, newer, never)).toEqual({
      directory,
      baseCommit: base,
      fresh: false,
      movedFrom: null,
      conflicts: [],
      note: null,
    });
    expect(readFileSync(join(directory, "new.txt"), "utf8")).toBe("work\n");
  });

  test("is made whole by the next daemon when a crash came while it was made", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    rmSync(directory, { recursive: true });
    writeFiles(join(directory, "..", ".making-1-fix-it"), { half: "" });
    const again = await setting.restarted().open(setting.project, task, base, never);
    expect(again).toEqual({ directory, baseCommit: base, fresh: true, movedFrom: null, conflicts: [], note: null });
    expect(git(directory, "status", "--porcelain")).toBe("");
    expect(readdirSync(join(directory, ".."))).toEqual(["1-fix-it"]);
  });

  test("never is another task's folder, though a project that was registered anew counts from 1 again", async () => {
    using setting = makeSetting();
    const first = await opened(setting);
    const project = makeProject(setting.source);
    const task = makeTask(project, 1, "Fix it");
    const base = await setting.workspaces.fetchBase(project, noToken, never);
    const second = await setting.workspaces.open(project, task, base, never);
    expect(second.directory).toBe(`${first.directory}-2`);
    const [tree, again] = [
      await setting.workspaces.openBase(setting.project, base, "set-up", never),
      await setting.workspaces.openBase(project, base, "set-up", never),
    ];
    expect(again.directory).not.toBe(tree.directory);
    expect(await setting.workspaces.openBase(project, base, "set-up", never)).toEqual(again);
  });

  test("is refused when a link stands in its place", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    rmSync(directory, { recursive: true });
    symlinkSync(setting.folder, directory);
    await expect(setting.workspaces.open(setting.project, task, base, never)).rejects.toMatchObject({ code: "conflict" });
    await expect(setting.workspaces.checkpoint(setting.project, task, "removing", 1)).rejects.toMatchObject({ code: "conflict" });
    await expect(setting.workspaces.remove(setting.project, task, 1)).rejects.toMatchObject({ code: "conflict" });
    expect(existsSync(setting.source.path)).toBe(true);
  });
});

describe("a base's tree", () => {
  test("is the same one for the same commit, with its tracked files put back", async () => {
    using setting = makeSetting({ remote: true, files: { "a.txt": "a\n", ".gitignore": "deps\n" } });
    const base = await setting.workspaces.fetchBase(setting.project, noToken, never);
    const tree = await setting.workspaces.openBase(setting.project, base, "set-up", never);
    expect(tree).toMatchObject({ baseCommit: base, fresh: true });
    writeFiles(tree.directory, { "deps/x": "installed\n", "a.txt": "changed by a check\n" });
    await setting.workspaces.markBaseReady(setting.project, base, "set-up");
    expect(await setting.restarted().openBase(setting.project, base, "set-up", never)).toEqual({ ...tree, fresh: false });
    expect(readFileSync(join(tree.directory, "a.txt"), "utf8")).toBe("a\n");
    expect(readFileSync(join(tree.directory, "deps/x"), "utf8")).toBe("installed\n");
    expect(git(tree.directory, "rev-parse", "HEAD")).toBe(base);
  });

  test("is fresh until it is said to be set up, so that a set-up that was cut short is done again", async () => {
    using setting = makeSetting();
    const base = await setting.workspaces.fetchBase(setting.project, noToken, never);
    writeFiles(setting.source.path, { ".env.test": "x\n" });
    for (const workspaces of [setting.workspaces, setting.restarted()]) {
      const tree = await workspaces.openBase(setting.project, base, "set-up", never);
      expect(tree.fresh).toBe(true);
      await workspaces.copyFiles(setting.project, [".env.test"], tree.directory);
    }
    await setting.workspaces.markBaseReady(setting.project, base, "set-up");
    const { directory, fresh } = await setting.workspaces.openBase(setting.project, base, "set-up", never);
    expect(fresh).toBe(false);
    rmSync(directory, { recursive: true });
    expect((await setting.workspaces.openBase(setting.project, base, "set-up", never)).fresh).toBe(true);
  });

  test("is made anew for another set-up, so that nothing of the one before is left in it", async () => {
    using setting = makeSetting({ remote: true, files: { "a.txt": "a\n", ".gitignore": "deps\n" } });
    const base = await setting.workspaces.fetchBase(setting.project, noToken, never);
    const tree = await setting.workspaces.openBase(setting.project, base, "npm ci", never);
    writeFiles(tree.directory, { "deps/old": "installed\n" });
    await setting.workspaces.markBaseReady(setting.project, base, "npm ci");
    const again = await setting.restarted().openBase(setting.project, base, "npm ci --omit=dev", never);
    expect(again).toEqual({ ...tree, fresh: true });
    expect(readdirSync(again.directory).toSorted()).toEqual([".git", ".gitignore", "a.txt"]);
  });

  test("and every workspace that nobody wants goes with the sweep of a project that is gone, and nothing of one with its name", async () => {
    using setting = makeSetting();
    const [unwanted, kept] = [await opened(setting, 1), await opened(setting, 2)];
    const { base } = kept;
    const tree = await setting.workspaces.openBase(setting.project, base, "set-up", never);
    const anew = makeProject(setting.source);
    await setting.workspaces.fetchBase(anew, noToken, never);
    const treeAnew = await setting.workspaces.openBase(anew, base, "set-up", never);
    const another = makeProject(setting.source);
    const isWanted = (id: string) => id === kept.task.id;
    expect(await setting.restarted().sweep([anew], [setting.project, another], isWanted)).toBe(1);
    const isThere = ({ directory }: { directory: string }) => existsSync(directory);
    expect([unwanted, kept, tree, treeAnew].map(isThere)).toEqual([false, true, true, true]);
    expect(await setting.workspaces.sweep([anew], [setting.project, another], () => false)).toBe(1);
    expect([unwanted, kept, tree, treeAnew].map(isThere)).toEqual([false, false, false, true]);
    expect(readdirSync(join(setting.home, "repositories")).toSorted()).toEqual([`${anew.id}.git`, `${setting.project.id}.git`].toSorted());
  });

  test("goes with the sweep once no task and no new task can build on it", async () => {
    using setting = makeSetting();
    const { task, base } = await opened(setting);
    const tree = await setting.workspaces.openBase(setting.project, base, "set-up", never);
    setting.source.commit({ "b.txt": "b\n" });
    const newer = await setting.workspaces.fetchBase(setting.project, noToken, never);
    const newTree = await setting.workspaces.openBase(setting.project, newer, "set-up", never);
    await setting.workspaces.sweep([setting.project], [], () => true);
    expect([existsSync(tree.directory), existsSync(newTree.directory)]).toEqual([true, true]);
    expect(await setting.workspaces.sweep([setting.project], [], (id) => id !== task.id)).toBe(1);
    expect([existsSync(tree.directory), existsSync(newTree.directory)]).toEqual([false, true]);
  });
});

describe("the person's files", () => {
  test("are copied with their modes, hidden from the agent's git and never part of the work", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    writeFiles(setting.source.path, { ".env.test": "SECRET=1\n", "config/local key.json": "{}\n" });
    writeFileSync(join(setting.source.path, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    await setting.workspaces.copyFiles(setting.project, [".env.test", "./config/local key.json", "run.sh"], directory);
    expect(readFileSync(join(directory, ".env.test"), "utf8")).toBe("SECRET=1\n");
    expect(statSync(join(directory, "run.sh")).mode & 0o777).toBe(0o755);
    expect(git(directory, "status", "--porcelain")).toBe("");
    expect(await setting.workspaces.collect(setting.project, task, base, "x")).toEqual({
      headCommit: base,
      tree: expect.any(String),
      changed: false,
      changes: [],
    });
    await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
    expect(await setting.workspaces.diff(setting.project, task, 1)).toBe("");
  });

  test("are work worth saving once the agent has changed them, but are still not published", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    writeFiles(setting.source.path, { ".env.test": "SECRET=1\n" });
    await setting.workspaces.copyFiles(setting.project, [".env.test"], directory);
    writeFiles(directory, { ".env.test": "SECRET=1\nMORE=2\n", "a.txt": "a\n" });
    git(directory, "add", "--force", ".env.test");
    git(directory, "commit", "--quiet", "--message=Leak it");
    const { headCommit } = await setting.workspaces.collect(setting.project, task, base, "Work");
    expect(git(setting.bare, "log", "--format=%s", "--name-only", `${base}..${headCommit}`)).toBe("Work\n\na.txt");
    await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
    expect(await setting.workspaces.diff(setting.project, task, 1)).toContain("+MORE=2");
  });

  test.each([
    ["../outside", "invalid"],
    ["/etc/passwd", "invalid"],
    [".git/config", "invalid"],
    ["link-to-outside", "invalid"],
    ["linked-folder/hosts", "invalid"],
    ["folder", "invalid"],
    ["README.md", "invalid"],
    ["missing", "not_found"],
    ["trap/file", "invalid"],
  ])("are refused when %s is named", async (path, code) => {
    using setting = makeSetting();
    symlinkSync("/etc/hosts", join(setting.source.path, "link-to-outside"));
    symlinkSync("/etc", join(setting.source.path, "linked-folder"));
    writeFiles(setting.source.path, { "folder/x": "", "trap/file": "x" });
    const { directory } = await opened(setting);
    symlinkSync(setting.folder, join(directory, "trap"));
    await expect(setting.workspaces.copyFiles(setting.project, [path], directory)).rejects.toMatchObject({ code });
    expect(existsSync(join(setting.folder, "file"))).toBe(false);
  });
});

describe("tasks side by side", () => {
  test("change the same file without seeing each other, each on its own branch", async () => {
    using setting = makeSetting();
    const both = await Promise.all([1, 2, 3, 4, 5].map((number) => opened(setting, number)));
    await Promise.all(
      both.map(async ({ task, base, directory }) => {
        writeFiles(directory, { "README.md": `${task.key}\n` });
        await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
        const { headCommit } = await setting.workspaces.collect(setting.project, task, base, "Work");
        await setting.workspaces.push(setting.project, noToken, task.branch ?? "", headCommit, never);
      }),
    );
    for (const { task } of both) expect(git(setting.source.remote, "show", `${task.branch}:README.md`)).toBe(task.key);
    for (const { task } of both) {
      const work = await setting.workspaces.diff(setting.project, task, null);
      expect(work.match(/^\+[^+].*$/gm)).toEqual([`+${task.key}`]);
    }
  });

  test("of five projects go at once", async () => {
    using setting = makeSetting();
    const projects = ["one", "two", "three", "four", "five"].map((name) =>
      makeProject(makeRepository(join(setting.folder, "person", name), { remote: true, files: { "name.txt": name } }), name),
    );
    await Promise.all(
      projects.map(async (project) => {
        const task = makeTask(project, 1, "Say more");
        const base = await setting.workspaces.fetchBase(project, noToken, never);
        const { directory } = await setting.workspaces.open(project, task, base, never);
        expect(readFileSync(join(directory, "name.txt"), "utf8")).toBe(project.name);
        writeFiles(directory, { "more.txt": project.name });
        const { headCommit } = await setting.workspaces.collect(project, task, base, "More");
        await setting.workspaces.push(project, noToken, "drover/1-say-more", headCommit, never);
        await setting.workspaces.remove(project, task, 1);
      }),
    );
    for (const { name, remote } of projects) expect(git(remote, "show", "drover/1-say-more:more.txt")).toBe(name);
    expect(projects.flatMap(({ name }) => readdirSync(join(setting.home, "workspaces", name)))).toEqual([]);
  });
});
