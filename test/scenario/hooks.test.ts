import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { HookEvent } from "../../src/contract/hook.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { COMPLETE, openObeyingScene, type ObeyingScene } from "../support/obeying-scene.ts";

/** Registers the repository, files a task, and returns the run that works on it once its agent is there. */
async function runAtWork({ path }: ObeyingScene, daemon: TestDaemon): Promise<string> {
  await daemon.client.registerProject({ body: { path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Obey" } });
  const events = await daemon.until((event) => event.type === "run.session_started");
  return events.at(-1)?.runId ?? "";
}

async function hooksOf({ client }: TestDaemon, run: string, category?: HookEvent["category"]): Promise<HookEvent[]> {
  return (await client.listRunHooks({ params: { run }, query: { limit: 500, category } })).items;
}

/** Those of the agent, once there are so many. */
async function toldByAgent(daemon: TestDaemon, run: string, count: number): Promise<HookEvent[]> {
  const told = async () => (await hooksOf(daemon, run)).filter(({ source }) => source === "agent");
  await expect.poll(async () => (await told()).length, { timeout: 20_000 }).toBe(count);
  return told();
}

/** What the agent runs to tell something as a hook of a real one does. */
const tell = (payload: object) =>
  `printf '%s\\n' '${JSON.stringify(payload)}' | sh "$(dirname "$DROVER_HOOK_SPOOL")/drover-hook" "$DROVER_HOOK_SPOOL"`;
const used = (number: number) => ({ hook_event_name: "PostToolUse", tool_name: "Bash", tool_input: { command: `echo ${number}` } });

test("what hooks tell is stored whole, in order and once, also what was told while no daemon ran", async () => {
  await using scene = await openObeyingScene();
  scene.home.env["NPM_TOKEN"] = "a-secret-of-the-daemon";
  const first = await scene.home.start();
  const run = await runAtWork(scene, first);
  await scene.order(tell({ ...used(0), tool_response: { stdout: "it says a-secret-of-the-daemon" } }));
  expect(await toldByAgent(first, run, 1)).toMatchObject([
    {
      category: "tool",
      name: "PostToolUse",
      tool: "Bash",
      agent: "obeys",
      detail: { tool_input: { command: "echo 0" }, tool_response: { stdout: "it says [redacted]" } },
    },
  ]);

  await first.kill();
  for (let number = 1; number <= 100; number += 1) await scene.order(tell(used(number)));
  await scene.order(`touch '${join(scene.home.folder, "told")}'`);
  await expect.poll(() => isThere(join(scene.home.folder, "told")), { timeout: 20_000 }).toBe(true);

  const second = await scene.home.start();
  const commands = (hooks: HookEvent[]) => hooks.map(({ detail }) => (detail["tool_input"] as { command: string }).command);
  const all = Array.from({ length: 101 }, (_, number) => `echo ${number}`);
  expect(commands(await toldByAgent(second, run, 101))).toEqual(all);
  await second.kill();
  const third = await scene.home.start();
  await scene.order(tell(used(101)));
  expect(commands(await toldByAgent(third, run, 102))).toEqual([...all, "echo 101"]);
  await scene.order(COMPLETE);
  await third.settledTask("api#1");
  expect(commands(await toldByAgent(third, run, 102))).toHaveLength(102);
  expect(await third.stop()).toBe(0);
  await expectNoProcesses(scene.home);
});

test("the end of a turn leaves a task where it is; its completion moves it on", async () => {
  await using scene = await openObeyingScene();
  const daemon = await scene.home.start();
  const run = await runAtWork(scene, daemon);
  const seen = join(scene.home.folder, "environment");
  await scene.order(`env >'${seen}.part' && mv '${seen}.part' '${seen}'`);
  await expect.poll(() => isThere(seen)).toBe(true);
  const environment = Object.fromEntries(
    readFileSync(seen, "utf8")
      .split("\n")
      .map((line) => line.split(/=(.*)/su).slice(0, 2)),
  );
  const post = async (authorization: string) => {
    const headers = { "content-type": "application/json", authorization };
    const body = JSON.stringify({ hook_event_name: "Stop", last_assistant_message: "I think I am done." });
    return (await fetch(environment["DROVER_HOOK_URL"], { method: "POST", headers, body })).status;
  };
  expect(await post("Bearer wrong")).toBe(401);
  expect(await post(`Bearer ${environment["DROVER_HOOK_TOKEN"]}`)).toBe(202);
  expect(await toldByAgent(daemon, run, 1)).toMatchObject([{ category: "session", name: "Stop" }]);
  expect((await daemon.client.getTask({ params: { task: "api#1" } })).status).toBe("running");
  await scene.order(COMPLETE);
  expect((await daemon.settledTask("api#1")).status).not.toBe("running");
  // Its token is good for nothing any more.
  expect(await post(`Bearer ${environment["DROVER_HOOK_TOKEN"]}`)).toBe(409);
});

test("what no agent tells the daemon does: tools, failures, questions and their answers, states, a crash by SIGKILL", async () => {
  await using scene = await openObeyingScene();
  const daemon = await scene.home.start();
  const run = await runAtWork(scene, daemon);
  const say = (line: object) => scene.order(`echo '${JSON.stringify(line)}'`);
  await say({ type: "tool_called", id: "1", tool: "Write", input: { path: "a" } });
  await say({ type: "tool_finished", id: "1", tool: "Write", failed: true });
  await say({ type: "question_asked", id: "q", tool: "Bash", input: { command: "make" } });
  await daemon.until((event) => event.type === "run.state_changed" && event.data.to === "waiting_permission");
  expect((await daemon.client.listWorkers()).items[0]?.state).toMatchObject({
    state: "waiting_permission",
    confidence: 1,
    evidence: ["it asks to use Bash"],
  });
  await daemon.client.answerRun({ params: { run }, body: { question: "q", allow: false } });
  await daemon.until((event) => event.type === "run.state_changed" && event.data.to === "running");
  await scene.order("kill -KILL $$");
  const task = await daemon.settledTask("api#1");
  expect(task.runs[0]?.state).toMatchObject({
    state: "crashed",
    confidence: 1,
    evidence: ["its process was ended by a signal", "it gave no last word"],
  });
  const named = async (category: HookEvent["category"]) =>
    (await hooksOf(daemon, run, category))
      .filter(({ source }) => source === "daemon")
      .map(({ name, tool }) => (tool === null ? name : `${name} ${tool}`));
  expect({
    tool: await named("tool"),
    session: await named("session"),
    error: await named("error"),
    state: (await named("state")).toSorted(),
  }).toEqual({
    tool: ["tool_called Write"],
    session: ["agent_started", "session_started"],
    error: ["tool_finished Write", "question_answered", "agent_ended", "ended"],
    state: ["progressed", "progressed", "question_asked Bash", "state_changed", "state_changed", "state_changed"].toSorted(),
  });
});

function isThere(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
