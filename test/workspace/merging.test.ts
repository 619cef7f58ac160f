import { chmodSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createGit } from "../../src/workspace/git.ts";
import { mergeCommits, mergeTrees, rebaseCommits } from "../../src/workspace/merging.ts";
import { Repository } from "../../src/workspace/repository.ts";
import { git, makeRepository, temporaryFolder, writeFiles, type TestRepository } from "../support/repository.ts";
import { gitEnv } from "./setting.ts";

const identity = { name: "Drover", email: "drover@localhost" };
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
let made = 0;

interface Place {
  readonly source: TestRepository;
  readonly repository: Repository;
  /** Brings all branches of the source into the daemon's own repository. */
  readonly bring: () => void;
}

async function openPlace(files: Record<string, string>, env: Record<string, string> = {}): Promise<Place> {
  const path = join(folder.path, String((made += 1)));
  const source = makeRepository(join(path, "source"), { files });
  const own = createGit({ env: { ...gitEnv, ...env }, identity, clock: systemClock });
  const repository = await Repository.open(own, join(path, "own.git"), identity);
  const bring = () => void git(repository.directory, "fetch", "--quiet", source.path, "+refs/heads/*:refs/test/*");
  return { source, repository, bring };
}

/** Commits the files on a branch made at `main`, one commit for each; null removes a file. */
function branch({ source }: Place, name: string, commits: readonly Record<string, string | null>[]): string {
  source.git("switch", "--quiet", "-c", name, "main");
  for (const [index, changes] of commits.entries()) {
    for (const [path, content] of Object.entries(changes)) {
      if (content === null) rmSync(join(source.path, path), { force: true });
      else writeFiles(source.path, { [path]: content });
    }
    source.git("add", "--all");
    source.git("-c", `user.name=${name} ${index}`, "commit", "--quiet", "--allow-empty", `--message=${name} ${index}\n\nWhy – 理由.`);
  }
  const head = source.git("rev-parse", "HEAD");
  source.git("switch", "--quiet", "main");
  return head;
}

const LINES = 12;
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
const first = { "one.txt": text(Array.from({ length: LINES }, (_, i) => `line ${i}`)), "two.txt": "two\n", "dir/three.txt": "three\n" };

/** What one commit does. */
const change = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("edit" as const), line: fc.nat(LINES - 1), word: fc.constantFrom("a", "b", "c") }),
  },
  fc.record({
    kind: fc.constant("write" as const),
    path: fc.constantFrom("two.txt", "new.txt", "dir/new.txt"),
    word: fc.constantFrom("a", "b"),
  }),
  fc.record({ kind: fc.constant("remove" as const), path: fc.constantFrom("two.txt", "dir/three.txt") }),
);
type Change = typeof change extends fc.Arbitrary<infer One> ? One : never;
const branches = fc.tuple(fc.array(change, { minLength: 1, maxLength: 3 }), fc.array(change, { minLength: 1, maxLength: 3 }));

/** The files of each commit. */
function carryOut(changes: readonly Change[]): Record<string, string | null>[] {
  const lines = Array.from({ length: LINES }, (_, i) => `line ${i}`);
  return changes.map((one) => {
    if (one.kind === "remove") return { [one.path]: null };
    if (one.kind === "write") return { [one.path]: `${one.word}\n` };
    lines[one.line] = `${one.word} ${one.line}`;
    return { "one.txt": text(lines) };
  });
}

/** Does what git does in a work tree; undefined: it came to a conflict, and was aborted. */
function inWorkTree({ source }: Place, start: string, verb: "merge" | "rebase", args: readonly string[]): string | undefined {
  source.git("switch", "--quiet", "--detach", start);
  try {
    source.git(verb, ...args);
    return source.git("rev-parse", "HEAD");
  } catch {
    source.git(verb, "--abort");
    return undefined;
  } finally {
    source.git("switch", "--quiet", "main");
  }
}

const said = (place: string, range: string) => git(place, "log", "--reverse", "--format=%an %ae %ad %T %B", range);

test("a merge and a rebase come to what git makes of them in a work tree", { timeout: 240_000 }, async () => {
  const seen = new Set<string>();
  const place = await openPlace(first);
  const { repository, source } = place;
  const base = source.git("rev-parse", "main");
  await fc.assert(
    fc.asyncProperty(branches, async ([one, other]) => {
      made += 1;
      const [ours, theirs] = [branch(place, `ours-${made}`, carryOut(one)), branch(place, `theirs-${made}`, carryOut(other))];
      place.bring();

      const merged = await mergeCommits(repository, ours, theirs, "Merge\n");
      const really = inWorkTree(place, ours, "merge", ["--no-ff", "--quiet", "--no-edit", theirs]);
      expect("commit" in merged).toBe(really !== undefined);
      if ("commit" in merged)
        expect(git(repository.directory, "rev-parse", `${merged.commit}^{tree}`)).toBe(source.git("rev-parse", `${really}^{tree}`));

      const rebased = await rebaseCommits(repository, { base, head: theirs }, ours);
      const reallyRebased = inWorkTree(place, theirs, "rebase", ["--quiet", "--reapply-cherry-picks", ours]);
      expect("commit" in rebased).toBe(reallyRebased !== undefined);
      if ("commit" in rebased)
        expect(said(repository.directory, `${ours}..${rebased.commit}`)).toBe(said(source.path, `${ours}..${reallyRebased}`));
      seen.add(`merge ${"commit" in merged}`).add(`rebase ${"commit" in rebased}`);
    }),
    { numRuns: 10, seed: 7 },
  );
  expect([...seen].toSorted()).toEqual(["merge false", "merge true", "rebase false", "rebase true"]);
});

test("a conflict names the files, and its tree holds both sides between markers", async () => {
  const place = await openPlace(first);
  const base = place.source.git("rev-parse", "main");
  const ours = branch(place, "ours", [{ "two.txt": "mine\n", "dir/new.txt": "a\n" }]);
  const theirs = branch(place, "theirs", [{ "one.txt": "fits\n" }, { "two.txt": "yours\n", "dir/new.txt": "b\n" }]);
  place.bring();
  const refs = git(place.repository.directory, "for-each-ref");
  const conflict = await rebaseCommits(place.repository, { base, head: theirs }, ours);
  if (!("conflicts" in conflict)) throw new Error("There is no conflict.");
  expect(conflict.conflicts.toSorted()).toEqual(["dir/new.txt", "two.txt"]);
  expect(git(place.repository.directory, "show", `${conflict.tree}:two.txt`)).toMatch(/^<{7} \w+\nmine\n={7}\nyours\n>{7} \w+$/);
  expect(git(place.repository.directory, "for-each-ref")).toBe(refs);
});

test("what is made again is the same commit", async () => {
  const place = await openPlace(first);
  const base = place.source.git("rev-parse", "main");
  const [ours, theirs] = [
    branch(place, "ours", [{ "one.txt": "1\n" }]),
    branch(place, "theirs", [{ "two.txt": "2\n" }, { "two.txt": "3\n" }]),
  ];
  place.bring();
  const make = async () => [
    await mergeCommits(place.repository, ours, theirs, "Merge\n"),
    await rebaseCommits(place.repository, { base, head: theirs }, ours),
    await rebaseCommits(place.repository, { base, head: theirs }, base),
  ];
  const made = await make();
  expect(await make()).toEqual(made);
  // Nothing to do: the commits stay what they are.
  expect(made[2]).toEqual({ commit: theirs });
});

test("a branch with merges in it is merged, so that how they were resolved is kept", async () => {
  const place = await openPlace(first);
  const { source, repository } = place;
  const base = source.git("rev-parse", "main");
  branch(place, "side", [{ "two.txt": "side\n" }]);
  branch(place, "theirs", [{ "two.txt": "theirs\n" }]);
  source.git("switch", "--quiet", "theirs");
  expect(() => source.git("merge", "side")).toThrow(/merge side/);
  writeFiles(source.path, { "two.txt": "resolved by hand\n" });
  source.git("commit", "--quiet", "--all", "--message=Resolve");
  const head = source.git("rev-parse", "HEAD");
  source.git("switch", "--quiet", "main");
  const ours = branch(place, "ours", [{ "one.txt": "1\n" }]);
  place.bring();
  const merged = await rebaseCommits(repository, { base, head }, ours);
  if (!("commit" in merged)) throw new Error("It does not fit.");
  const shown = (path: string) => git(repository.directory, "show", `${merged.commit}:${path}`);
  expect([shown("two.txt"), shown("one.txt")]).toEqual(["resolved by hand", "1"]);
  expect(git(repository.directory, "rev-parse", `${merged.commit}^1`, `${merged.commit}^2`).split("\n")).toEqual([ours, head]);
});

test("nothing that a branch holds or that a person set is run or obeyed", async () => {
  const home = join(folder.path, `home-${(made += 1)}`);
  const fired = join(home, "fired");
  const script = join(home, "script");
  writeFiles(home, { script: `#!/bin/sh\necho "$0 $*" >> ${fired}\nexit 0\n`, attributes: "* merge=evil filter=evil diff=evil\n" });
  git(home, "init", "--quiet");
  const keys = [
    "merge.evil.driver",
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "diff.evil.textconv",
    "core.fsmonitor",
  ];
  const config = keys.map((key) => {
    const [, section, name, last] = /^(\w+)\.(?:(\w+)\.)?(\w+)$/.exec(key) ?? [];
    return `[${section}${name ? ` "${name}"` : ""}]\n\t${last} = sh ${script} ${key} %A\n`;
  });
  writeFiles(home, {
    ".gitconfig": `${config.join("")}[core]\n\tattributesFile = ${home}/attributes\n[merge]\n\tdefault = evil\n\trenormalize = true\n`,
  });
  const place = await openPlace({ ...first, ".gitattributes": "* merge=evil filter=evil\n*.txt merge=union\n" }, { HOME: home });
  const base = place.source.git("rev-parse", "main");
  const [ours, theirs] = [branch(place, "ours", [{ "two.txt": "mine\n" }]), branch(place, "theirs", [{ "two.txt": "yours\n" }])];
  place.bring();
  const { repository } = place;
  const results = [
    await mergeCommits(repository, ours, theirs, "Merge\n"),
    await rebaseCommits(repository, { base, head: theirs }, ours),
    await mergeTrees(repository, { base, ours, theirs }),
  ];
  expect(results.map((result) => ("conflicts" in result ? result.conflicts : "merged"))).toEqual([["two.txt"], ["two.txt"], ["two.txt"]]);
  expect(existsSync(fired)).toBe(false);
});

test("a git that is too old says so", async () => {
  const bin = join(folder.path, `bin-${(made += 1)}`);
  writeFiles(bin, { git: "#!/bin/sh\necho 'usage: git merge-tree <base-tree> <branch1> <branch2>' >&2\nexit 129\n" });
  chmodSync(join(bin, "git"), 0o755);
  const { repository } = await openPlace(first);
  const git237 = createGit({ env: { ...gitEnv, PATH: bin }, identity, clock: systemClock });
  const old = Object.assign(Object.create(repository) as Repository, { git: git237 });
  await expect(mergeCommits(old, "main", "main", "")).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("2.38"),
  });
});
