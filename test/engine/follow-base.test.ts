import { describe, expect, test } from "vitest";
import { MergeWorld } from "../support/merge-world.ts";
import { needs } from "../support/needs.ts";
import { refsOf } from "../support/leftovers.ts";

const files = { "README.md": "# Sample\n", "a.txt": "a\n", "b.txt": "b\n" };
const forges = needs("git-http-backend").ok ? (["local", "github"] as const) : (["local"] as const);

describe.each(forges)("finished branches of the forge %s, after somebody pushed to the base", (forge) => {
  test("are put onto it with their commits, checked there, and pushed with the new proof", async () => {
    await using world = await MergeWorld.open({ forge, files });
    const task = await world.finish("One", { "a.txt": "a 1\n" }, { "new.txt": "new\n" });
    const before = world.git("log", "--format=%an %s", `main..${task.branch}`);
    const base = world.push({ "b.txt": "b by somebody\n" });
    await world.look();

    const head = world.git("rev-parse", task.branch ?? "");
    expect(world.branch("api#1")).toMatchObject({ baseCommit: base, headCommit: head, state: "open", message: null });
    expect(world.git("log", "--format=%an %s", `main..${task.branch}`)).toBe(before);
    expect(world.git("merge-base", "main", task.branch ?? "")).toBe(base);
    expect(["a.txt", "b.txt", "new.txt"].map((path) => world.git("show", `${head}:${path}`))).toEqual(["a 1", "b by somebody", "new"]);
    expect(world.checked.toSorted()).toEqual([base, head].toSorted());
    expect(await world.pullText(1)).toContain(head);
    expect(world.alerts()).toEqual([]);
    // Nothing has moved since: nothing is done.
    const events = world.lastEvent();
    await world.look();
    expect(world.lastEvent()).toEqual(events);
  });

  test("are left alone where somebody else has pushed to them, and a person is told", async () => {
    await using world = await MergeWorld.open({ forge, files });
    const task = await world.finish("One", { "a.txt": "a 1\n" });
    const theirs = world.pushTo(task.branch ?? "", { "a.txt": "a by a person\n" });
    world.push({ "b.txt": "b by somebody\n" });
    await world.look();
    expect(world.git("rev-parse", task.branch ?? "")).toBe(theirs);
    expect(world.branch("api#1")).toMatchObject({ state: "left" });
    expect(world.alerts()).toEqual([
      { kind: "branch_left", subject: "api#1", message: expect.stringContaining("somebody else has pushed to it") },
    ]);
  });

  test("are settled once they are merged by a person", async () => {
    await using world = await MergeWorld.open({ forge, files });
    const task = await world.finish("One", { "a.txt": "a 1\n" });
    world.mergeByHand(task.branch ?? "");
    await world.look();
    expect([world.branch("api#1")?.state, world.task("api#1").status, world.alerts()]).toEqual(["merged", "succeeded", []]);
  });
});

test("a squashed merge by a person leaves nothing of a branch to do", async () => {
  await using world = await MergeWorld.open({ forge: "local", files });
  await world.finish("One", { "a.txt": "a 1\n" }, { "new.txt": "new\n" });
  world.push({ "a.txt": "a 1\n", "new.txt": "new\n" });
  await world.look();
  expect(world.branch("api#1")).toMatchObject({ state: "merged", message: "All that it changes is in the base already." });
});

describe("a finished branch that conflicts with the base", () => {
  const statuses = { agent: ["queued", "base_conflict"], person: ["blocked", "base_conflict"], ignore: ["succeeded", null] } as const;
  test.each(["agent", "person", "ignore"] as const)("is given back as onConflict: %s says", async (onConflict) => {
    await using world = await MergeWorld.open({ forge: "local", files, defaults: { onConflict } });
    const task = await world.finish("One", { "a.txt": "a 1\n" });
    const head = world.git("rev-parse", task.branch ?? "");
    const base = world.push({ "a.txt": "a by somebody\n" });
    await world.look();

    const { status, reason } = world.task("api#1");
    expect([status, reason]).toEqual(statuses[onConflict]);
    expect(world.alerts()).toEqual([{ kind: "base_conflict", subject: "api#1", message: expect.stringContaining("a.txt") }]);
    // Nothing half done anywhere: the branch is what it was.
    expect(world.git("rev-parse", task.branch ?? "")).toBe(head);
    expect(refsOf(world.remote).filter((ref) => !ref.startsWith("refs/drover/"))).toEqual([`refs/heads/${task.branch}`, "refs/heads/main"]);
    if (onConflict === "ignore") return expect(world.branch("api#1")?.state).toBe("left");
    expect(world.branch("api#1")).toBeUndefined();
    if (onConflict === "person") expect(world.alerts()[0]?.message).toContain("drover task retry api#1");

    const workspace = await world.openWorkspace("api#1");
    expect(workspace).toMatchObject({ baseCommit: base, fresh: true, conflicts: ["a.txt"] });
    expect(workspace.read("a.txt")).toMatch(/^<{7} \w+\na by somebody\n={7}\na 1\n>{7} \w+\n$/);
    expect([workspace.git("status", "--porcelain"), workspace.git("rev-parse", "HEAD")]).toEqual([" M a.txt", base]);
    await expect(workspace.collect()).rejects.toThrow(/still has both sides/);
    workspace.write({ "a.txt": "a 1 by both\n" });
    expect(await workspace.collect()).toMatchObject({ changed: true });
  });

  test("only by what its checks say is given back with that", async () => {
    const check = "! { [ -e one.txt ] && [ -e other.txt ]; } || { echo one and other do not go together; false; }";
    await using world = await MergeWorld.open({ forge: "local", files, check, defaults: { onConflict: "agent" } });
    const task = await world.finish("One", { "one.txt": "1\n" });
    const head = world.git("rev-parse", task.branch ?? "");
    world.push({ "other.txt": "2\n" });
    await world.look();
    expect([world.task("api#1").status, world.git("rev-parse", task.branch ?? "")]).toEqual(["queued", head]);
    const workspace = await world.openWorkspace("api#1");
    expect(workspace).toMatchObject({ conflicts: [], note: expect.stringContaining("one and other do not go together") });
    expect([workspace.read("one.txt"), workspace.read("other.txt")]).toEqual(["1\n", "2\n"]);
  });
});

test("a remote that is not there changes nothing; what it is to be put right for is done later", async () => {
  await using world = await MergeWorld.open({ forge: "local", files });
  await world.finish("One", { "a.txt": "a 1\n" });
  const before = world.branch("api#1");
  world.push({ "b.txt": "b\nb\n" });
  await world.withoutRemote(() => world.look());
  expect([world.branch("api#1"), world.alerts().map(({ kind }) => kind)]).toEqual([before, ["branches_failed"]]);
  await world.look();
  expect(world.alerts()).toEqual([]);
  expect(world.branch("api#1")?.baseCommit).not.toBe(before?.baseCommit);
});

test("a project that does not follow its base leaves finished branches where they are", async () => {
  await using world = await MergeWorld.open({ forge: "local", files, defaults: { followBase: false } });
  await world.finish("One", { "a.txt": "a 1\n" });
  const before = world.branch("api#1");
  world.push({ "b.txt": "b\nb\n" });
  await world.look();
  expect(world.branch("api#1")).toEqual(before);
});
