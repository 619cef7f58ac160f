import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { git, writeFiles } from "../support/repository.ts";
import { makeSetting, never, noToken, type Setting } from "./setting.ts";

const files = { "README.md": "# Sample\n", "one.txt": "1\n2\n3\n4\n5\n6\n7\n8\n", ".gitignore": "ignored\n" };

/** A workspace with two commits of the agent's, and a changed, a new, a removed and an ignored file. */
async function begun(setting: Setting) {
  const task = setting.task(1);
  const from = await setting.workspaces.fetchBase(setting.project, noToken, never);
  const { directory } = await setting.workspaces.open(setting.project, task, from, never);
  writeFiles(directory, { "two.txt": "two\n", "three.txt": "three\n" });
  git(directory, "add", "--all");
  git(directory, "commit", "--quiet", "--message=First by the agent");
  writeFiles(directory, { "two.txt": "two and more\n" });
  git(directory, "commit", "--quiet", "--all", "--message=Second by the agent\n\nWith a reason.");
  git(directory, "rm", "--quiet", "--cached", "three.txt");
  writeFiles(directory, { "one.txt": "1 by the agent\n2\n3\n4\n5\n6\n7\n8\n", "new/untracked.txt": "new\n", ignored: "ignored\n" });
  return { task, from, directory };
}

const move = (setting: Setting, task: Parameters<Setting["workspaces"]["move"]>[1], onto: string, marks = false) =>
  setting.workspaces.move(setting.project, task, onto, { marks, at: 1000 });

describe("a workspace whose base has moved", () => {
  test("is made anew on it with the agent's commits, and what was uncommitted and untracked still so", { timeout: 300_000 }, async () => {
    using setting = makeSetting({ remote: true, files });
    const { task, from, directory } = await begun(setting);
    const onto = setting.source.commit({ "one.txt": "1\n2\n3\n4\n5\n6\n7\n8 by somebody\n", "theirs.txt": "theirs\n" });
    await setting.workspaces.fetchBase(setting.project, noToken, never);
    expect(await move(setting, task, onto)).toEqual({ outcome: "moved", from, conflicts: [] });
    const workspace = await setting.workspaces.open(setting.project, task, onto, never);
    expect(workspace).toEqual({ directory, baseCommit: onto, fresh: true, movedFrom: from, conflicts: [], note: null });
    expect(git(directory, "log", "--format=%s|%an", `${onto}..HEAD`).split("\n")).toEqual([
      "Second by the agent|Ada",
      "First by the agent|Ada",
    ]);
    expect(git(directory, "merge-base", "HEAD", "origin/main")).toBe(onto);
    expect(git(directory, "status", "--porcelain").split("\n").toSorted()).toEqual([" M one.txt", "?? new/"]);
    expect(readFileSync(join(directory, "one.txt"), "utf8")).toBe("1 by the agent\n2\n3\n4\n5\n6\n7\n8 by somebody\n");
    expect(["two.txt", "three.txt", "theirs.txt", "new/untracked.txt"].map((path) => existsSync(join(directory, path)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    // Everything that lay in the old one can be had again.
    const [checkpoint] = await setting.workspaces.checkpoints(setting.project, task);
    expect(checkpoint?.reason).toBe("base_moved");
    // What it comes to is only the task's own work.
    const work = await setting.workspaces.collect(setting.project, task, onto, "Work");
    expect(git(setting.bare, "diff", "--name-only", onto, work.headCommit).split("\n")).toEqual([
      "new/untracked.txt",
      "one.txt",
      "three.txt",
      "two.txt",
    ]);
    expect(await move(setting, task, onto)).toEqual({ outcome: "none" });
  });

  test("stays as it is where that would conflict, unless both sides are wanted in the files", { timeout: 300_000 }, async () => {
    using setting = makeSetting({ remote: true, files });
    const { task, from, directory } = await begun(setting);
    const before = [git(directory, "rev-parse", "HEAD"), git(directory, "status", "--porcelain")];
    const onto = setting.source.commit({ "one.txt": "1 by somebody\n2\n3\n4\n5\n6\n7\n8\n" });
    await setting.workspaces.fetchBase(setting.project, noToken, never);
    expect(await move(setting, task, onto)).toEqual({ outcome: "refused", from, conflicts: ["one.txt"] });
    expect([git(directory, "rev-parse", "HEAD"), git(directory, "status", "--porcelain")]).toEqual(before);
    expect(await setting.workspaces.open(setting.project, task, onto, never)).toMatchObject({
      baseCommit: from,
      fresh: false,
      conflicts: [],
    });

    expect(await move(setting, task, onto, true)).toEqual({ outcome: "moved", from, conflicts: ["one.txt"] });
    expect(await setting.workspaces.open(setting.project, task, onto, never)).toMatchObject({
      baseCommit: onto,
      fresh: true,
      conflicts: ["one.txt"],
    });
    expect(existsSync(join(directory, ".git", "rebase-merge")) || existsSync(join(directory, ".git", "MERGE_HEAD"))).toBe(false);
    const both = readFileSync(join(directory, "one.txt"), "utf8");
    expect(both).toMatch(/^<{7} \w+\n1 by somebody\n={7}\n1 by the agent\n>{7} \w+\n2\n/);
    await expect(setting.workspaces.collect(setting.project, task, onto, "Work")).rejects.toThrow(/one\.txt .* still has both sides/);
    writeFileSync(join(directory, "one.txt"), "1 by both\n2\n3\n4\n5\n6\n7\n8\n");
    expect(await setting.workspaces.collect(setting.project, task, onto, "Work")).toMatchObject({ changed: true });
  });

  test("loses nothing to a death in between, and is moved once", { timeout: 300_000 }, async () => {
    using setting = makeSetting({ remote: true, files });
    const { task, directory } = await begun(setting);
    const onto = setting.source.commit({ "theirs.txt": "theirs\n" });
    await setting.workspaces.fetchBase(setting.project, noToken, never);
    await move(setting, task, onto);
    const expected = { directory, baseCommit: onto, fresh: true };
    // Between the move and the run; and again with the folder gone, as a death while it was being made leaves it.
    const next = setting.restarted();
    expect(await next.move(setting.project, task, onto, { marks: false, at: 1 })).toEqual({ outcome: "none" });
    git(directory, "clean", "--quiet", "-fdx");
    expect(await next.open(setting.project, task, onto, never)).toMatchObject(expected);
    expect(readFileSync(join(directory, "new/untracked.txt"), "utf8")).toBe("new\n");
    writeFiles(directory, { "later.txt": "later\n" });
    expect(await setting.restarted().open(setting.project, task, onto, never)).toMatchObject({ ...expected, fresh: false });
    expect(readFileSync(join(directory, "later.txt"), "utf8")).toBe("later\n");
  });

  test("stays on its base where there are submodules, whose files can't be told from the project's", { timeout: 300_000 }, async () => {
    using setting = makeSetting({ remote: true, files });
    const { source } = setting;
    source.git("update-index", "--add", "--cacheinfo", `160000,${source.git("rev-parse", "HEAD")},sub`);
    source.git("commit", "--quiet", "--message=With a submodule");
    source.git("push", "--quiet", "origin", "main");
    const { task } = await begun(setting);
    source.git("commit", "--quiet", "--allow-empty", "--message=More");
    source.git("push", "--quiet", "origin", "main");
    const onto = await setting.workspaces.fetchBase(setting.project, noToken, never);
    expect(await move(setting, task, onto)).toEqual({ outcome: "kept" });
  });

  test("with commits that don't build on the base is moved as one change", { timeout: 300_000 }, async () => {
    using setting = makeSetting({ remote: true, files });
    const { task, directory } = await begun(setting);
    git(directory, "checkout", "--quiet", "--orphan", "other");
    git(directory, "commit", "--quiet", "--all", "--message=A history of its own");
    const onto = setting.source.commit({ "theirs.txt": "theirs\n" });
    await setting.workspaces.fetchBase(setting.project, noToken, never);
    expect(await move(setting, task, onto)).toMatchObject({ outcome: "moved", conflicts: [] });
    await setting.workspaces.open(setting.project, task, onto, never);
    expect(git(directory, "rev-parse", "HEAD")).toBe(onto);
    expect(readFileSync(join(directory, "two.txt"), "utf8")).toBe("two and more\n");
  });
});
