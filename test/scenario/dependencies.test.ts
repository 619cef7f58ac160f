import { join } from "node:path";
import { expect, test } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { Gate } from "../support/gate.ts";
import { makeRepository } from "../support/repository.ts";

const program = join(import.meta.dirname, "../programs/waits-for-go.sh");

/** A daemon whose agents, two at once, end one by one as the gate lets them. A plan succeeds; what is to be carried out fails its check. */
async function openScene(): Promise<AsyncDisposable & { daemon: TestDaemon; gate: Gate }> {
  await using stack = new AsyncDisposableStack();
  const home = stack.use(
    await TestHome.make({
      daemon: { maxProcesses: 2 },
      agents: { waits: { driver: "command", command: ["sh", program], env: ["GATE"] } },
      defaults: { agent: "waits", retryAttempts: 1 },
      checks: [{ name: "untouched", command: "test ! -e sessions.txt" }],
    }),
  );
  const gate = stack.use(await Gate.make(join(home.folder, "gate")));
  home.env["GATE"] = join(home.folder, "gate");
  const { path } = makeRepository(join(home.folder, "api"));
  const daemon = await home.start();
  await daemon.client.registerProject({ body: { path, name: "api" } });
  const end = stack.move();
  return { daemon, gate, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

async function file(client: Client, title: string, dependsOn: string[] = [], mode: "plan" | "execute" = "plan"): Promise<void> {
  await client.createTask({ body: { project: "api", title, mode, dependsOn } });
}

async function statuses(client: Client): Promise<Record<string, string>> {
  const { items } = await client.listTasks();
  return Object.fromEntries(items.map(({ key, status }) => [key, status]));
}

test("of a diamond the middle two run at once, and the last starts after both", async () => {
  await using scene = await openScene();
  const { daemon, gate } = scene;
  const { client } = daemon;
  await file(client, "A");
  await file(client, "B", ["api#1"]);
  await file(client, "C", ["api#1"]);
  await file(client, "D", ["api#2", "api#3"]);
  await daemon.taskWith("api#1", "running");
  expect(await statuses(client)).toEqual({ "api#1": "running", "api#2": "waiting", "api#3": "waiting", "api#4": "waiting" });
  await gate.open();
  await Promise.all(["api#2", "api#3"].map((key) => daemon.taskWith(key, "running")));
  expect(await statuses(client)).toEqual({ "api#1": "succeeded", "api#2": "running", "api#3": "running", "api#4": "waiting" });
  await gate.open(2);
  await daemon.taskWith("api#4", "running");
  await gate.open();
  await daemon.taskWith("api#4", "succeeded");
  const runs = await Promise.all(["api#2", "api#3", "api#4"].map(async (key) => (await client.getTask({ params: { task: key } })).runs[0]));
  const [b, c, d] = runs.map((run) => ({ from: run?.startedAt ?? NaN, to: run?.finishedAt ?? NaN }));
  expect(Math.max(b?.from ?? NaN, c?.from ?? NaN)).toBeLessThanOrEqual(Math.min(b?.to ?? NaN, c?.to ?? NaN));
  expect(d?.from).toBeGreaterThanOrEqual(Math.max(b?.to ?? NaN, c?.to ?? NaN));
});

test("a part that fails blocks what depends on it, until that waits for something else", async () => {
  await using scene = await openScene();
  const { daemon, gate } = scene;
  const { client } = daemon;
  await file(client, "A", [], "execute");
  await file(client, "B");
  await file(client, "C", ["api#1", "api#2"]);
  await gate.open(2);
  await daemon.taskWith("api#1", "failed");
  await daemon.taskWith("api#2", "succeeded");
  expect(await client.getTask({ params: { task: "api#3" } })).toMatchObject({ status: "blocked", reason: "dependency_failed" });

  const changed = await client.setDependencies({ params: { task: "api#3" }, body: { dependsOn: ["api#2"] } });
  expect(changed).toMatchObject({ key: "api#3", status: "queued", reason: null });
  await daemon.taskWith("api#3", "running");
  await expect(client.setDependencies({ params: { task: "api#3" }, body: { dependsOn: [] } })).rejects.toMatchObject({
    code: "conflict",
    message: "api#3 is running. Cancel it first: what it depends on can't be changed.",
  });
  await gate.open();
  await daemon.taskWith("api#3", "succeeded");
  expect((await client.listAudit()).items.map(({ action, subject, detail }) => ({ action, subject, detail }))).toContainEqual({
    action: "task.depend",
    subject: "api#3",
    detail: { dependsOn: ["api#2"] },
  });
});

test("a cycle is refused with its members in order, and the graph shows the rest", async () => {
  await using scene = await openScene();
  const { client } = scene.daemon;
  await client.changeQueue({ body: { paused: true } });
  await file(client, "A");
  await file(client, "B", ["api#1"]);
  await file(client, "C", ["api#2"]);
  await expect(client.setDependencies({ params: { task: "api#1" }, body: { dependsOn: ["api#3"] } })).rejects.toMatchObject({
    code: "invalid",
    message: "These tasks would wait for each other for ever: api#1 needs api#3 needs api#2 needs api#1.",
  });
  await expect(client.setDependencies({ params: { task: "api#1" }, body: { dependsOn: ["api#9"] } })).rejects.toMatchObject({
    code: "not_found",
  });
  const { tasks, omitted } = await client.getGraph({ query: { project: "api" } });
  const keys = new Map<string, string>(tasks.map(({ id, key }) => [id, key]));
  expect({ omitted, tasks: tasks.map(({ key, status, dependsOn }) => [key, status, dependsOn.map((id) => keys.get(id))]) }).toEqual({
    omitted: 0,
    tasks: [
      ["api#1", "queued", []],
      ["api#2", "waiting", ["api#1"]],
      ["api#3", "waiting", ["api#2"]],
    ],
  });
});
