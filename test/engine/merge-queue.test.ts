import { describe, expect, test } from "vitest";
import { dequeueBranch, enqueueBranch } from "../../src/store/branches.ts";
import { MergeWorld } from "../support/merge-world.ts";
import { needs } from "../support/needs.ts";

const forges = needs("git-http-backend").ok ? (["local", "github"] as const) : (["local"] as const);
/** Each part may be there alone; together with `left` and `right` it fails. */
const check = "! { [ -e left.txt ] && [ -e right.txt ]; } || { echo left and right do not go together; false; }";
const files = { "README.md": "# Sample\n", "shared.txt": "shared\n" };

describe.each(forges)("the merge queue of the forge %s", (forge) => {
  const open = (more: object = {}) => MergeWorld.open({ forge, files, check, ...more });

  test("is not used by itself: finished branches stay open", async () => {
    await using world = await open();
    await world.finish("One", { "one.txt": "1\n" });
    const base = world.git("rev-parse", "main");
    await world.look();
    expect([world.branch("api#1")?.state, world.branch("api#1")?.place, world.git("rev-parse", "main")]).toEqual(["open", null, base]);
  });

  test("of five, one that conflicts and one that breaks only together", { timeout: 240_000 }, async () => {
    await using world = await open({ defaults: { autoMerge: true, followBase: true, onConflict: "person" } });
    await world.finish("First", { "first.txt": "1\n", "shared.txt": "by the first\n" });
    await world.finish("Left", { "left.txt": "2\n" });
    await world.finish("Conflicts with the first", { "shared.txt": "by the third\n" });
    await world.finish("Right", { "right.txt": "4\n" });
    await world.finish("Fifth", { "fifth.txt": "5\n" });
    await world.look();

    expect(world.files("main")).toEqual(["README.md", "fifth.txt", "first.txt", "left.txt", "shared.txt"]);
    expect(world.git("log", "--first-parent", "--reverse", "--format=%s", "main").split("\n")).toHaveLength(4);
    expect(["api#1", "api#2", "api#4", "api#5"].map((key) => world.branch(key)?.state)).toEqual(["merged", "merged", undefined, "merged"]);
    expect(world.alerts().toSorted((one, other) => one.subject.localeCompare(other.subject) || one.kind.localeCompare(other.kind))).toEqual(
      [
        { kind: "base_conflict", subject: "api#3", message: expect.stringContaining("shared.txt") },
        { kind: "base_conflict", subject: "api#4", message: expect.stringContaining("fail where the base alone does not") },
        { kind: "merge_failed", subject: "api#4", message: expect.stringContaining("left and right do not go together") },
      ],
    );
    expect([world.task("api#3").status, world.task("api#4").status]).toEqual(["blocked", "blocked"]);
  });

  test("takes what a person puts into it, and lets go what one takes out", async () => {
    await using world = await open();
    const { database } = world.scratch;
    const [one, other] = [await world.finish("One", { "one.txt": "1\n" }), await world.finish("Other", { "other.txt": "2\n" })];
    database.writeNow((tx) => [enqueueBranch(tx, one.id), enqueueBranch(tx, other.id), dequeueBranch(tx, one.id, "Taken out by ada.")]);
    await world.look();
    expect(world.files("main")).toEqual(["README.md", "other.txt", "shared.txt"]);
    expect([world.branch("api#1")?.state, world.branch("api#2")?.state]).toEqual(["open", "merged"]);
    expect(() => database.writeNow((tx) => enqueueBranch(tx, other.id))).toThrow(/merged already/);
  });

  test("leaves a branch open when its own check fails", async () => {
    await using world = await open({ defaults: { autoMerge: true, followBase: false } });
    await world.finish("Both", { "left.txt": "1\n", "right.txt": "1\n" });
    await world.look();
    expect(world.branch("api#1")).toMatchObject({ state: "open", place: null });
    expect(world.alerts().map(({ kind, subject }) => [kind, subject])).toEqual([["merge_failed", "api#1"]]);
  });

  test("merges nothing for a project without checks", async () => {
    await using world = await open({ check: null, defaults: { autoMerge: true } });
    await world.finish("One", { "one.txt": "1\n" });
    await world.look();
    expect(world.branch("api#1")).toMatchObject({ state: "open", place: null, message: expect.stringContaining("no checks") });
  });

  test("merges once, whatever the daemon had come to when it died", { timeout: 240_000 }, async () => {
    await using world = await open({ defaults: { autoMerge: true } });
    await world.finish("One", { "one.txt": "1\n" });
    await world.finish("Other", { "other.txt": "2\n" });
    await world.dieAfterMerge();
    expect(world.branch("api#1")?.state).toBe("open");
    expect(world.files("main")).toContain("one.txt");
    await world.look();
    expect([world.branch("api#1")?.state, world.branch("api#2")?.state]).toEqual(["merged", "merged"]);
    expect(world.git("rev-list", "--first-parent", "--count", "main")).toBe("3");
    expect(world.files("main")).toEqual(["README.md", "one.txt", "other.txt", "shared.txt"]);
  });
});

test("ten branches and five pushes to the base: each is merged in order, or flagged", { timeout: 400_000 }, async () => {
  await using world = await MergeWorld.open({ forge: "local", files, check, defaults: { autoMerge: true } });
  for (let number = 1; number <= 10; number += 1) {
    const path = number === 4 || number === 7 ? "shared.txt" : `part-${number}.txt`;
    await world.finish(`Part ${number}`, { [path]: `${number}\n` });
    if (number % 2 === 0) world.push({ [`pushed-${number}.txt`]: "by somebody\n", ...(number === 6 && { "shared.txt": "by somebody\n" }) });
  }
  await world.look();
  await world.look();
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  const states = numbers.map((number) => [number, world.branch(`api#${number}`)?.state ?? world.task(`api#${number}`).status]);
  const flagged = world.alerts().map(({ subject }) => subject);
  for (const [number, state] of states) expect(state === "merged" || flagged.includes(`api#${number}`), `${number} is ${state}`).toBe(true);
  const merged = numbers.filter((number) => world.branch(`api#${number}`)?.state === "merged");
  const order = world
    .git("log", "--first-parent", "--reverse", "--format=%s", "main")
    .match(/(?<=^Merge drover\/)\d+/gm)
    ?.map(Number);
  expect(order).toEqual(merged);
  expect(merged.length).toBeGreaterThanOrEqual(8);
  expect(world.files("main").filter((path) => path.startsWith("pushed-"))).toHaveLength(5);
});

test("a base that a person has checked out is never moved under them", async () => {
  await using world = await MergeWorld.open({ forge: "local", files, check, defaults: { autoMerge: true }, remote: "checkout" });
  await world.finish("One", { "one.txt": "1\n" });
  const before = world.git("rev-parse", "main");
  await world.look();
  expect([world.git("rev-parse", "main"), world.git("status", "--porcelain")]).toEqual([before, ""]);
  expect(world.alerts()).toEqual([{ kind: "base_refused", subject: "api", message: expect.stringContaining("checked out") }]);
  world.git("switch", "--quiet", "--create", "elsewhere");
  await world.look();
  expect([world.files("main"), world.branch("api#1")?.state, world.alerts()]).toEqual([
    ["README.md", "one.txt", "shared.txt"],
    "merged",
    [],
  ]);
});

describe.skipIf(!needs("git-http-backend").ok)("what GitHub demands of a pull request", () => {
  test("is waited for, and a check that failed there leaves it open", async () => {
    await using world = await MergeWorld.open({ forge: "github", files, check, defaults: { autoMerge: true } });
    const { repository } = world;
    if (!repository) throw new Error("There is no GitHub.");
    repository.requiresChecks = true;
    repository.checkRuns.push({ name: "ci", status: "in_progress", conclusion: null, html_url: "" });
    await world.finish("One", { "one.txt": "1\n" });
    const state = () => [world.branch("api#1")?.state, world.branch("api#1")?.message];
    await world.look();
    expect(state()).toEqual(["open", "Waits: GitHub waits for required checks or reviews."]);
    repository.checkRuns.splice(0, 1, { name: "ci", status: "completed", conclusion: "failure", html_url: "" });
    repository.requiresChecks = false;
    await world.look();
    expect(state()).toEqual(["open", "Waits: checks at GitHub have not passed."]);
    repository.checkRuns.splice(0, 1, { name: "ci", status: "completed", conclusion: "success", html_url: "" });
    await world.look();
    expect(state()).toEqual(["merged", null]);
  });

  test("a way of merging that the repository does not allow is not asked for", async () => {
    await using world = await MergeWorld.open({ forge: "github", files, check, defaults: { autoMerge: true } });
    Object.assign(world.repository?.mergeMethods ?? {}, { allow_merge_commit: false, allow_rebase_merge: false });
    await world.finish("One", { "one.txt": "1\n" });
    await world.look();
    expect([world.branch("api#1")?.state, world.git("rev-list", "--count", "--merges", "main")]).toEqual(["merged", "0"]);
  });
});
