import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MATERIAL, writeMaterial } from "../../src/workspace/material-folder.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../support/repository.ts";
import { makeSetting, never, noToken, type Setting } from "./setting.ts";

/** Commits files of the person's on a branch, there and at the remote, and goes back to the base branch. */
function propose({ source: { path, branch: base } }: Setting, ref: string, files: Record<string, string>): string {
  git(path, "switch", "--quiet", "--force-create", "proposed", base);
  writeFiles(path, files);
  git(path, "add", "--all");
  git(path, "commit", "--quiet", "--message=Propose");
  git(path, "push", "--quiet", "--force", "origin", `HEAD:${ref}`);
  const commit = git(path, "rev-parse", "HEAD");
  git(path, "switch", "--quiet", base);
  return commit;
}

test("a change is brought with where it left its base, and stays as it was brought; its workspace has the code with it", async () => {
  using setting = makeSetting();
  const { project, workspaces, source } = setting;
  const task = setting.task(1);
  const refs = { head: "refs/pull/7/head", base: `refs/heads/${source.branch}` };
  expect(await workspaces.branches.takenIn(project, task)).toBeUndefined();
  const left = git(source.path, "rev-parse", "HEAD");
  const head = propose(setting, refs.head, { "new.txt": "new\n" });
  // The base goes on without it.
  writeFiles(source.path, { "README.md": "Other words\n" });
  git(source.path, "commit", "--quiet", "--all", "--message=Meanwhile");
  git(source.path, "push", "--quiet", "origin", source.branch);

  const change = await workspaces.branches.takeIn(project, noToken, task, refs, never);
  expect(change).toEqual({
    baseCommit: left,
    headCommit: head,
    files: ["new.txt | 1 +", "1 file changed, 1 insertion(+)"],
    diff: expect.stringMatching(/^diff --git a\/new\.txt b\/new\.txt\n[^]*\+new\n$/),
  });
  const { directory } = await workspaces.open(project, task, change.headCommit, never);
  expect(readFileSync(join(directory, "new.txt"), "utf8")).toBe("new\n");
  propose(setting, refs.head, { "newer.txt": "newer\n" });
  expect(await workspaces.branches.takenIn(project, task)).toEqual(change);
  expect((await workspaces.branches.takeIn(project, noToken, task, refs, never)).files[0]).toContain("newer.txt");
});

test("what is not there, or no name of a branch, is refused", async () => {
  using setting = makeSetting();
  const { project, workspaces, source } = setting;
  const take = (head: string) =>
    workspaces.branches.takeIn(project, noToken, setting.task(1), { head, base: `refs/heads/${source.branch}` }, never);
  await expect(take("refs/heads/nope")).rejects.toMatchObject({
    code: "invalid",
    message: `The repository of sample (${project.remote}) has no refs/heads/nope, the change.`,
  });
  for (const head of [
    "--upload-pack=sh",
    "refs/heads/a:refs/heads/main",
    "refs/heads/*",
    "refs/heads/a..b",
    "refs/drover/base",
    "refs/heads/a b",
  ])
    await expect(take(head)).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining("is no name of a branch") });
});

test("material lies in a folder of its own, whatever the repository holds of that name, and is no work for git", async () => {
  using folder = temporaryFolder();
  const { path } = makeRepository(join(folder.path, "api"));
  symlinkSync("/", join(path, MATERIAL));
  await writeMaterial(path, { "facts.json": "[]\n" });
  await writeMaterial(path, { "other.json": "{}\n" });
  expect([lstatSync(join(path, MATERIAL)).isDirectory(), readdirSync(join(path, MATERIAL))]).toEqual([true, [".gitignore", "other.json"]]);
  expect(statSync(join(path, MATERIAL, "other.json")).mode & 0o777).toBe(0o444);
  expect(git(path, "status", "--porcelain")).toBe("");
});
