import { expect, test } from "vitest";
import type { TaskDetail } from "../../src/contract/routes.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { git } from "../support/repository.ts";
import { COMPLETE, openObeyingScene, type ObeyingScene } from "../support/obeying-scene.ts";

/** Without any sign of work for so long a run is ended. */
const SILENCE_MS = 8000;

async function begin(scene: ObeyingScene): Promise<TestDaemon> {
  const daemon = await scene.home.start();
  await daemon.client.registerProject({ body: { path: scene.path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Obey" } });
  await daemon.until((event) => event.type === "run.session_started");
  return daemon;
}

async function statesOf({ client }: TestDaemon, { id }: TaskDetail): Promise<string[]> {
  const { items } = await client.listEvents({ query: { task: id, limit: 500 } });
  return items.flatMap((event) => (event.type === "run.state_changed" ? [event.data.to] : []));
}

test("an agent that does nothing any more is stuck, then ended with its work kept", async () => {
  await using scene = await openObeyingScene({ defaults: { timeout: SILENCE_MS } });
  const daemon = await begin(scene);
  await scene.order("echo work >kept.txt");
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.reason, await statesOf(daemon, task)]).toEqual(["failed", "stalled", ["stuck"]]);
  expect(task.message).toMatch(/^It was stuck: no output, hook, processor time or changed file for 8 s\.$/);
  expect(task.runs[0]?.state?.state).toBe("stuck");
  const commit = task.checkpoints.at(-1)?.commit ?? "";
  const restored = await daemon.client.restoreTask({ params: { task: "api#1" }, body: { to: `${scene.home.folder}/restored` } });
  expect([restored.commit, git(restored.path, "show", "HEAD:kept.txt").trim()]).toEqual([commit, "work"]);
});

test.each([
  [
    "waits for a command that is silent and idle",
    `echo '{"type":"tool_called","id":"1","tool":"Bash","input":"npm test"}'; sleep 18; echo '{"type":"tool_finished","id":"1","tool":"Bash"}'`,
  ],
  ["uses the processor", "end=$(($(date +%s) + 18)); while [ $(date +%s) -lt $end ]; do :; done"],
  ["changes files now and then", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do sleep 1; echo $i >file.txt; done"],
  [
    "tells by hooks what it does",
    `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do sleep 1; echo '{"hook_event_name":"PostToolUse"}' >>"$DROVER_HOOK_SPOOL"; done`,
  ],
])("an agent that %s for longer than the limit is at work", async (_, order) => {
  await using scene = await openObeyingScene({ defaults: { timeout: SILENCE_MS } });
  const daemon = await begin(scene);
  // Written at once: what the test is slow to say would look as if the agent were stuck.
  await scene.order([order, "echo done >done.txt", COMPLETE].join("\n"));
  const task = await daemon.settledTask("api#1");
  expect([task.status, await statesOf(daemon, task)]).toEqual(["succeeded", ["finished"]]);
});

test("an agent that does the same again and again is ended after twice as often as is allowed", async () => {
  await using scene = await openObeyingScene({ defaults: { repeatedActions: 5 } });
  const daemon = await begin(scene);
  for (let id = 1; id <= 10; id += 1) {
    await scene.order(`echo '{"type":"tool_called","id":"${id}","tool":"Read","input":"a.txt"}'`);
    await scene.order(`echo '{"type":"tool_finished","id":"${id}","tool":"Read"}'`);
  }
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.reason, task.message]).toEqual([
    "failed",
    "stalled",
    "It was stuck: it did the same 5 times in a row: Read a.txt.",
  ]);
});
