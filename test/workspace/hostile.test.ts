import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { git, makeRepository, writeFiles } from "../support/repository.ts";
import { makeSetting, never, noToken, type Setting } from "./setting.ts";

/** Configuration that makes git run a program, or look where the agent wants it to. */
const KEYS = [
  "core.fsmonitor",
  "core.hooksPath",
  "core.sshCommand",
  "core.gitProxy",
  "core.askPass",
  "core.pager",
  "core.editor",
  "core.alternateRefsCommand",
  "credential.helper",
  "diff.external",
  "diff.x.textconv",
  "diff.x.command",
  "filter.x.clean",
  "filter.x.smudge",
  "filter.x.process",
  "merge.x.driver",
  "gpg.program",
  "gpg.ssh.program",
  "interactive.diffFilter",
  "pager.diff",
  "pager.log",
  "remote.origin.receivepack",
  "remote.origin.uploadpack",
  "remote.origin.vcs",
  "sequence.editor",
  "uploadpack.packObjectsHook",
  "alias.fetch",
  "alias.add",
  "trailer.x.command",
  "submodule.sub.update",
  "web.browser",
] as const;

const SETTINGS = {
  "commit.gpgSign": "true",
  "filter.x.required": "true",
  "protocol.ext.allow": "always",
  "remote.origin.promisor": "true",
  "remote.origin.url": "ext::EVIL",
  "url.ext::EVIL .insteadOf": "/",
  "extensions.partialClone": "origin",
  "fetch.recurseSubmodules": "true",
  "core.worktree": "/",
} as const;

const HOOKS = [
  "applypatch-msg",
  "commit-msg",
  "fsmonitor-watchman",
  "post-checkout",
  "post-commit",
  "post-index-change",
  "post-merge",
  "post-receive",
  "post-rewrite",
  "post-update",
  "pre-auto-gc",
  "pre-commit",
  "pre-push",
  "pre-receive",
  "prepare-commit-msg",
  "proc-receive",
  "push-to-checkout",
  "reference-transaction",
  "sendemail-validate",
  "update",
] as const;

async function opened(setting: Setting) {
  const task = setting.task(1);
  const base = await setting.workspaces.fetchBase(setting.project, noToken, never);
  const { directory } = await setting.workspaces.open(setting.project, task, base, never);
  return { task, base, directory };
}

/** Arms everything in a repository that an agent can write: whatever fires writes its name to `fired`. */
function plantTraps(repository: string, fired: string): void {
  const script = (name: string) => {
    const path = `${fired}-traps/${name}`;
    mkdirSync(`${fired}-traps`, { recursive: true });
    writeFileSync(path, `#!/bin/sh\necho ${name} >> ${fired}\ncat 2>/dev/null </dev/null\nexit 0\n`, { mode: 0o755 });
    return path;
  };
  for (const folder of [join(repository, ".git", "hooks"), `${fired}-hooks`]) {
    mkdirSync(folder, { recursive: true });
    for (const hook of HOOKS) cpSync(script(`hook-${hook}`), join(folder, hook));
  }
  const values: Record<string, string> = { ...SETTINGS };
  for (const key of KEYS)
    values[key] =
      key === "core.hooksPath"
        ? `${fired}-hooks`
        : key.startsWith("alias") || key.startsWith("submodule")
          ? `!${script(key)}`
          : script(key);
  // Written as text: git itself could not set some of these any more after the first.
  const section = (key: string) => {
    const [first = "", ...rest] = key.split(".");
    const last = rest.pop() ?? "";
    return `[${first}${rest.length > 0 ? ` "${rest.join(".").replaceAll("EVIL", script("ext"))}"` : ""}]\n\t${last} = "${values[key]?.replaceAll("EVIL", script("ext"))}"\n`;
  };
  const config = join(repository, ".git", "config");
  writeFileSync(config, readFileSync(config, "utf8") + Object.keys(values).map(section).join(""));
  const attributes = "* filter=x diff=x merge=x\n";
  writeFiles(repository, {
    ".gitattributes": attributes,
    ".git/info/attributes": attributes,
    ".git/config.worktree": section("core.fsmonitor"),
  });
}

function firedIn(fired: string): string[] {
  return existsSync(fired) ? [...new Set(readFileSync(fired, "utf8").trim().split("\n"))] : [];
}

describe("what an agent plants in its workspace", () => {
  test("fires when git is used in it as people do, so that the proof below proves something", async () => {
    using setting = makeSetting();
    const { directory } = await opened(setting);
    const fired = join(setting.folder, "fired");
    plantTraps(directory, fired);
    writeFiles(directory, { "README.md": "changed\n" });
    for (const args of [["status"], ["diff"], ["add", "--all"], ["checkout", "-b", "x"]])
      spawnSync("git", ["-c", "core.worktree=", ...args], { cwd: directory, timeout: 10_000 });
    expect(firedIn(fired)).toEqual(expect.arrayContaining(["core.fsmonitor", "filter.x.process"]));
  });

  test("never runs in anything that the daemon does: 0 of 60 traps", async () => {
    using setting = makeSetting({ remote: true, files: { "README.md": "# Sample\n", "sub/a.txt": "a\n" } });
    const { task, base, directory } = await opened(setting);
    const fired = join(setting.folder, "fired");
    writeFiles(directory, { "README.md": "committed\n" });
    git(directory, "commit", "--quiet", "--all", "--message=mine");
    mkdirSync(join(directory, "nested"));
    git(join(directory, "nested"), "init", "--quiet");
    writeFiles(directory, {
      "nested/a.txt": "a\n",
      ".gitmodules": '[submodule "../../evil"]\n\tpath = nested\n\turl = ext::sh -c id\n\tupdate = !id\n',
    });
    git(join(directory, "nested"), "add", ".");
    git(join(directory, "nested"), "commit", "--quiet", "--message=nested");
    for (const repository of [directory, join(directory, "nested"), join(directory, "sub")]) {
      if (!existsSync(join(repository, ".git"))) git(repository, "init", "--quiet");
      plantTraps(repository, fired);
    }
    writeFiles(directory, { "README.md": "uncommitted\n", "new.txt": "new\n", "sub/b.txt": "b\n" });
    rmSync(fired, { force: true });

    const { workspaces, project } = setting;
    await workspaces.checkpoint(project, task, "agent_ended", 1);
    rmSync(join(directory, "nested"), { recursive: true });
    const { headCommit, changed } = await workspaces.collect(project, task, base, "Work");
    expect(changed).toBe(true);
    await workspaces.diff(project, task, null);
    await workspaces.push(project, noToken, "drover/1-fix-it", headCommit, never);
    await workspaces.restore(project, task, 1, join(setting.folder, "restored"));
    await setting.restarted().open(project, task, base, never);
    await workspaces.fetchBase(project, noToken, never);
    await workspaces.remove(project, task, 2);

    expect(firedIn(fired)).toEqual([]);
    expect(KEYS.length + Object.keys(SETTINGS).length + HOOKS.length).toBe(60);
    expect(existsSync(directory)).toBe(false);
    expect(git(setting.source.remote, "show", "drover/1-fix-it:README.md")).toBe("uncommitted");
    expect(git(setting.source.remote, "log", "--format=%s", "drover/1-fix-it")).toBe("Work\nmine\nFirst");
  });

  test("never runs out of a submodule's folder, into which git would look by itself", async () => {
    using setting = makeSetting();
    const lib = makeRepository(join(setting.folder, "lib"));
    setting.source.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.path, "lib");
    setting.source.commit({}, "Add a submodule");
    const { task, base, directory } = await opened(setting);
    git(directory, "clone", "--quiet", lib.path, "lib");
    const fired = join(setting.folder, "fired");
    plantTraps(join(directory, "lib"), fired);
    rmSync(join(directory, "lib", ".gitattributes"));
    rmSync(fired, { force: true });
    await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
    await setting.workspaces.collect(setting.project, task, base, "Work");
    await setting.workspaces.diff(setting.project, task, 1);
    expect(firedIn(fired)).toEqual([]);
    spawnSync("git", ["status"], { cwd: directory, timeout: 10_000 });
    expect(firedIn(fired)).not.toEqual([]); // the traps are armed
  });

  test("does not run for the person who opens the restored work", async () => {
    using setting = makeSetting();
    const { task, directory } = await opened(setting);
    const fired = join(setting.folder, "fired");
    plantTraps(directory, fired);
    await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
    const to = join(setting.folder, "restored");
    await setting.workspaces.restore(setting.project, task, 1, to);
    rmSync(fired, { force: true });
    writeFiles(to, { "README.md": "changed\n" });
    for (const args of [["status"], ["diff"], ["add", "--all"], ["commit", "--message=x"]]) git(to, ...args);
    expect(firedIn(fired)).toEqual([]);
  });

  test("can't make commits of another repository ours by grafts, replacements or a cut history", async () => {
    using setting = makeSetting();
    const { task, base, directory } = await opened(setting);
    writeFiles(directory, { "a.txt": "a\n" });
    git(directory, "add", ".");
    git(directory, "commit", "--quiet", "--message=mine");
    const mine = git(directory, "rev-parse", "HEAD");
    const other = git(directory, "commit-tree", "-m", "no parents", `${mine}^{tree}`);
    writeFiles(directory, { ".git/info/grafts": `${mine}\n`, ".git/shallow": `${mine}\n` });
    git(directory, "update-ref", `refs/replace/${mine}`, other);
    const { headCommit } = await setting.workspaces.collect(setting.project, task, base, "Work");
    expect(headCommit).toBe(mine);
    expect(git(setting.bare, "log", "--format=%s", headCommit)).toBe("mine\nFirst");
  });

  test("can't hide a change by what it writes into its index", async () => {
    using setting = makeSetting({ remote: true, files: { "a.txt": "a\n", "b.txt": "b\n" } });
    const { task, base, directory } = await opened(setting);
    writeFiles(directory, { "a.txt": "changed\n", "b.txt": "changed\n" });
    git(directory, "update-index", "--assume-unchanged", "a.txt");
    git(directory, "update-index", "--skip-worktree", "b.txt");
    expect(git(directory, "status", "--porcelain")).toBe("");
    const { headCommit } = await setting.workspaces.collect(setting.project, task, base, "Work");
    expect(git(setting.bare, "show", `${headCommit}:a.txt`, `${headCommit}:b.txt`)).toBe("changed\nchanged");
  });

  test("can't lead us out of the workspace by links in its .git", async () => {
    using setting = makeSetting();
    const { task, directory } = await opened(setting);
    writeFiles(setting.folder, { "outside/secret": `${"ab".repeat(20)} secret\n` });
    for (const name of ["logs", "refs/heads/link", "packed-refs", "worktrees"]) {
      rmSync(join(directory, ".git", name), { recursive: true, force: true });
      symlinkSync(join(setting.folder, "outside"), join(directory, ".git", name));
    }
    writeFiles(directory, { "a.txt": "a\n" });
    const saved = await setting.workspaces.checkpoint(setting.project, task, "agent_ended", 1);
    expect(git(setting.bare, "ls-tree", "--name-only", saved?.commit ?? "")).toBe("README.md\na.txt");
    await setting.workspaces.remove(setting.project, task, 2);
    expect(existsSync(join(setting.folder, "outside", "secret"))).toBe(true);
  });
});
