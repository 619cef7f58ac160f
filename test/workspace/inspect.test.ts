import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { githubRepository, inspectRepository } from "../../src/workspace/inspect.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../support/repository.ts";
import { gitEnv } from "./setting.ts";

const home = "/nonexistent/.drover";
const inspect = (path: string, options: { home?: string; env?: Record<string, string> } = {}) =>
  inspectRepository(path, { home, env: gitEnv, clock: systemClock, ...options });

describe("inspectRepository", () => {
  test("tells real path, remote and its default branch", async () => {
    using folder = temporaryFolder();
    const { path, remote } = makeRepository(join(folder.path, "sample"), { remote: true, branch: "trunk" });
    git(folder.path, "clone", "--quiet", remote, "clone");
    git(join(folder.path, "clone"), "checkout", "--quiet", "-b", "feature");
    symlinkSync("clone", join(folder.path, "link"));
    expect(await inspect(join(folder.path, "link"))).toEqual({
      path: join(folder.path, "clone"),
      remote,
      baseBranch: "trunk",
      bare: false,
      empty: false,
      dirty: false,
      githubRepository: null,
    });
    expect(await inspect(path)).toMatchObject({ remote, baseBranch: "trunk" });
  });

  test("takes the branch it is on where there is no remote, or its only, main or master branch when it is on none", async () => {
    using folder = temporaryFolder();
    const sample = makeRepository(join(folder.path, "sample"), { branch: "dev" });
    expect(await inspect(sample.path)).toMatchObject({ remote: null, baseBranch: "dev" });
    sample.git("checkout", "--quiet", "--detach");
    expect(await inspect(sample.path)).toMatchObject({ baseBranch: "dev" });
    sample.git("branch", "other");
    await expect(inspect(sample.path)).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining("on no branch") });
    sample.git("branch", "master");
    expect(await inspect(sample.path)).toMatchObject({ baseBranch: "master" });
  });

  test("tells bare and empty ones, worktrees and shallow clones", async () => {
    using folder = temporaryFolder();
    const bare = makeRepository(join(folder.path, "bare.git"), { bare: true, branch: "trunk" });
    expect(await inspect(bare.path)).toMatchObject({ bare: true, empty: false, dirty: false, baseBranch: "trunk" });
    const empty = makeRepository(join(folder.path, "empty"), { files: {}, branch: "first" });
    expect(await inspect(empty.path)).toMatchObject({ bare: false, empty: true, dirty: false, baseBranch: "first" });
    const sample = makeRepository(join(folder.path, "sample"));
    sample.commit({ "a.txt": "a" });
    sample.git("worktree", "add", "--quiet", "-b", "side", "../side");
    expect(await inspect(join(folder.path, "side"))).toMatchObject({ path: join(folder.path, "side"), dirty: false, baseBranch: "side" });
    git(folder.path, "clone", "--quiet", "--depth=1", `file://${sample.path}`, "shallow");
    expect(await inspect(join(folder.path, "shallow"))).toMatchObject({ empty: false, dirty: false, baseBranch: "main" });
  });

  test("tells a checkout with changed, staged, removed or new files, and leaves it as it is", async () => {
    using folder = temporaryFolder();
    const change: [string, (path: string) => void][] = [
      ["clean", () => {}],
      ["touched", (path) => utimesSync(join(path, "README.md"), 1, 1)],
      ["ignored", (path) => writeFiles(path, { "ignored.txt": "x" })],
      ["changed", (path) => writeFileSync(join(path, "README.md"), "x")],
      ["removed", (path) => rmSync(join(path, "README.md"))],
      ["new", (path) => writeFiles(path, { "new/x.txt": "x" })],
      [
        "staged",
        (path) => (writeFiles(path, { "new.txt": "x" }), git(path, "add", "."), rmSync(join(path, "new.txt")), git(path, "status")),
      ],
    ];
    const found = [];
    for (const [name, apply] of change) {
      const { path } = makeRepository(join(folder.path, name), { files: { "README.md": "a", ".gitignore": "ignored.txt" } });
      apply(path);
      found.push([name, (await inspect(path)).dirty]);
    }
    expect(found).toEqual([
      ["clean", false],
      ["touched", false],
      ["ignored", false],
      ["changed", true],
      ["removed", true],
      ["new", true],
      ["staged", true],
    ]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("drover-inspect-"))).toEqual([]);
  });

  test("hides credentials in the remote's address, makes paths absolute and applies the person's shorthands", async () => {
    using folder = temporaryFolder();
    const { path, git: run } = makeRepository(join(folder.path, "sample"));
    writeFiles(folder.path, { ".gitconfig": '[url "git@github.com:"]\n\tinsteadOf = gh:\n' });
    const read = async (address: string) => {
      run("remote", "remove", "origin");
      run("remote", "add", "origin", address);
      const { remote, githubRepository } = await inspect(path, { env: { ...gitEnv, HOME: folder.path } });
      return [remote, githubRepository];
    };
    run("remote", "add", "origin", "x");
    expect(await read("https://ada:hunter2@github.com/ada/app.git")).toEqual(["https://github.com/ada/app.git", "ada/app"]);
    expect(await read("../other")).toEqual([join(folder.path, "other"), null]);
    expect(await read("gh:ada/app")).toEqual(["git@github.com:ada/app", "ada/app"]);
    expect(await read("ssh://git@github.example.org:2222/ada/app.git")).toEqual([
      "ssh://git@github.example.org:2222/ada/app.git",
      "ada/app",
    ]);
  });

  test("runs nothing that the repository's configuration names", async () => {
    using folder = temporaryFolder();
    const { path } = makeRepository(join(folder.path, "sample"), { dirty: true });
    const fired = join(folder.path, "fired");
    const script = join(folder.path, "evil.sh");
    writeFileSync(script, `#!/bin/sh\necho fired >> ${fired}\n`, { mode: 0o755 });
    const keys = [
      "core.fsmonitor",
      "filter.x.clean",
      "filter.x.smudge",
      "filter.x.process",
      "diff.external",
      "diff.x.textconv",
      "core.sshCommand",
      "core.pager",
      "alias.remote",
      "alias.rev-parse",
    ];
    for (const key of keys) git(path, "config", key, key.startsWith("alias") ? `!${script}` : script);
    writeFiles(path, { ".git/info/attributes": "* filter=x diff=x\n", ".gitattributes": "* filter=x diff=x\n" });
    for (const hook of ["post-index-change", "post-checkout", "reference-transaction"])
      writeFileSync(join(path, ".git/hooks", hook), `#!/bin/sh\necho ${hook} >> ${fired}\n`, { mode: 0o755 });
    rmSync(fired, { force: true });
    expect(await inspect(path)).toMatchObject({ dirty: true });
    expect(existsSync(fired)).toBe(false);
    git(path, "status");
    expect(existsSync(fired)).toBe(true); // the traps are armed
  });

  test("refuses what can't be a project, each with its reason", async () => {
    using folder = temporaryFolder();
    const sample = makeRepository(join(folder.path, "sample"), { files: { "src/a.ts": "a" } });
    const open = makeRepository(join(folder.path, "open"));
    chmodSync(open.path, 0o777);
    const own = makeRepository(join(folder.path, "home", "repositories", "x"));
    writeFiles(folder.path, { file: "", "plain/x": "" });
    mkdirSync(join(folder.path, "person"));
    const env = { ...gitEnv, HOME: join(folder.path, "person") };
    const why = async (path: string) => {
      const failure = await inspect(path, { home: join(folder.path, "home"), env }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toMatchObject({ code: path.includes("missing") ? "not_found" : "invalid" });
      return (failure as Error).message;
    };
    expect(await why(join(folder.path, "missing"))).toContain("nothing at");
    expect(await why(join(folder.path, "file"))).toContain("no folder");
    expect(await why("/")).toContain("whole file system");
    expect(await why(join(folder.path, "person"))).toContain("your home folder");
    expect(await why(own.path)).toContain("Drover's own folder");
    expect(await why(folder.path)).toContain("Drover's own folder");
    expect(await why(open.path)).toContain("every user");
    expect(await why(join(folder.path, "plain"))).toContain("no git repository");
    expect(await why(join(sample.path, "src"))).toContain(`Register its top: ${sample.path}`);
    expect(await why(join(sample.path, ".git"))).toContain("own folder");
    expect(await why(join(sample.path, ".git", "refs"))).toContain("own folder");
  });
});

describe("githubRepository", () => {
  test.each([
    ["https://github.com/ada/app", "ada/app"],
    ["https://github.com/ada/app.git", "ada/app"],
    ["https://github.com/ada/app.git/", "ada/app"],
    ["git@github.com:ada/app.git", "ada/app"],
    ["git@github-work:ada/app", "ada/app"],
    ["ssh://git@ssh.github.com:443/ada/app.js", "ada/app.js"],
    ["https://github.example.org/ada/app", "ada/app"],
    ["https://company.ghe.com/ada/app", "ada/app"],
    ["https://gitlab.com/ada/app", null],
    ["https://notgithub.com/ada/app", null],
    ["https://github.com/ada", null],
    ["https://github.com/ada/app/tree/main", null],
    ["https://evil.org/github.com/app", null],
    ["/home/ada/github.com/app", null],
    ["file:///github.com/ada/app", null],
    ["", null],
  ])("of %s is %s", (address, expected) => {
    expect(githubRepository(address)).toBe(expected);
  });
});
