import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { changedPrds, type PullRequestEvent } from "../../action/changed-prds.ts";
import { git, makeRepository, temporaryFolder, writeFiles } from "../support/repository.ts";

const runner = join(import.meta.dirname, "../../action/run-prds.ts");

/** A checkout whose newest commit is that of a pull request, and the event that tells of it. */
function openPull(folder: string, before: Record<string, string>, after: Record<string, string>) {
  const { path } = makeRepository(join(folder, "checkout"));
  const commit = (files: Record<string, string>) => {
    writeFiles(path, files);
    git(path, "add", "--all");
    git(path, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--allow-empty", "-m", "more");
    return git(path, "rev-parse", "HEAD").trim();
  };
  const base = commit(before);
  return { path, commit, event: eventOf(base, commit(after)) };
}

function eventOf(base: string, head: string, from: string | null = "acme/api"): PullRequestEvent {
  const repo = from === null ? null : { full_name: from };
  return { pull_request: { base: { sha: base, repo: { full_name: "acme/api" } }, head: { sha: head, repo } } };
}

test("only PRDs that the pull request adds or changes are chosen", () => {
  using folder = temporaryFolder();
  const { path, event, commit } = openPull(
    folder.path,
    { "prds/old.md": "old", "prds/changed.md": "a", "README.md": "x" },
    { "prds/changed.md": "b", "prds/deep/new.yaml": "n", "prds/a b$(id).md": "s", "prds/notes.txt": "t", "README.md": "y", "-x.md": "z" },
  );
  expect(changedPrds(event, path, "prds/**")).toEqual({ files: ["prds/a b$(id).md", "prds/changed.md", "prds/deep/new.yaml"] });
  expect(changedPrds(event, path, "specs/**")).toEqual({ none: "No PRD (specs/**) was changed." });
  symlinkSync("/etc/hostname", join(path, "prds/link.md"));
  const [base, head] = [event.pull_request?.head.sha ?? "", commit({})];
  expect(changedPrds(eventOf(base, head), path, "prds/**")).toEqual({ none: "No PRD (prds/**) was changed." });
});

test("nothing is chosen for another event, for a fork, or by what is no commit", () => {
  const sha = "0".repeat(40);
  expect(changedPrds({}, "/nowhere", "**")).toEqual({ none: "This is no event of a pull request." });
  for (const from of ["evil/api", null]) {
    expect(changedPrds(eventOf(sha, sha, from), "/nowhere", "**")).toEqual({
      none: "The pull request comes from a fork, whose PRDs are not built.",
    });
  }
  expect(changedPrds(eventOf("--output=/tmp/x", sha), "/nowhere", "**")).toEqual({ none: '"--output=/tmp/x" is no commit.' });
});

test("its last step runs each chosen PRD and fails when one does", () => {
  using folder = temporaryFolder();
  const { path, event } = openPull(folder.path, {}, { "prds/a.md": "a", "prds/b.md": "b" });
  const bin = join(folder.path, "bin");
  mkdirSync(bin);
  // In place of the command: notes how it is called, and fails for the second PRD.
  writeFileSync(
    join(bin, "drover"),
    `#!/bin/sh\nprintf '%s ' "$@" >>"${folder.path}/calls"; echo >>"${folder.path}/calls"\ncase "$*" in *b.md) exit 1; esac\n`,
  );
  chmodSync(join(bin, "drover"), 0o755);
  writeFileSync(join(folder.path, "event.json"), JSON.stringify(event));
  const env = { PATH: `${bin}:${process.env["PATH"]}`, GITHUB_EVENT_PATH: join(folder.path, "event.json"), PRD_GLOB: "prds/**" };
  const { status, stderr } = spawnSync(process.execPath, [runner], { cwd: path, env, encoding: "utf8" });
  expect([status, stderr]).toEqual([1, "prds/b.md did not become a pull request.\n"]);
  expect(readFileSync(join(folder.path, "calls"), "utf8").replaceAll(path, "CHECKOUT")).toBe(
    [
      "daemon start ",
      "prd run --pr --target CHECKOUT -- CHECKOUT/prds/a.md ",
      "prd run --pr --target CHECKOUT -- CHECKOUT/prds/b.md ",
      "daemon stop ",
      "",
    ].join("\n"),
  );
});

test("its description needs no container and puts no value into a script", () => {
  const action = parse(readFileSync(join(import.meta.dirname, "../../action/action.yml"), "utf8")) as {
    runs: { using: string; steps: { run?: string; uses?: string }[] };
  };
  expect(action.runs.using).toBe("composite");
  for (const { run = "", uses = "" } of action.runs.steps) expect(`${run}${uses}`).not.toMatch(/\$\{\{|docker:/);
});
