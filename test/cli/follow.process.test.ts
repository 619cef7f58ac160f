import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { lines } from "../api/memory-control.ts";
import { examples } from "../../src/api/examples.ts";
import type { NewEvent } from "../../src/contract/event.ts";
import type { Task, TaskStatus } from "../../src/contract/task.ts";
import { program, servedPlace, type Served } from "./running.ts";

/** A command that goes on; ended with the test. */
class Going implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  out = "";
  err = "";

  constructor(at: Served, args: readonly string[]) {
    this.child = spawn(process.execPath, [program, ...args], { cwd: at.folder, env: { ...process.env, TZ: "UTC", DROVER_HOME: at.home } });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.out += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.err += text));
    this.ended = once(this.child, "exit");
  }

  async says(text: string): Promise<void> {
    await vi.waitUntil(() => `${this.out}${this.err}`.includes(text), { timeout: 20_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

function moved(task: Task, from: TaskStatus, to: TaskStatus, reason: string | null = null): NewEvent {
  return { type: "task.status_changed", taskId: task.id, data: { from, to, reason, message: null } };
}

test.each([
  ["succeeded", 0],
  ["failed", 1],
  ["blocked", 1],
] as const)("add --wait shows what happens until the task is %s, and exits with %i", async (status, code) => {
  await using at = await servedPlace();
  await using going = new Going(at, ["task", "add", "-p", "api", "--wait", "Fix it"]);
  await going.says("Filed api#1: queued.");
  const [task] = at.served.memory.tasks as [Task];
  at.served.events.append(moved(task, "queued", "running"), {
    type: "run.tool_called",
    taskId: task.id,
    data: { tool: "Bash", input: "npm test" },
  });
  await going.says("Bash npm test");
  expect(going.child.exitCode).toBe(null);
  task.status = status;
  at.served.events.append(moved(task, "running", status));
  await going.ended;
  expect(going.child.exitCode).toBe(code);
  expect(going.out.split("\n").at(-2)).toBe(`api#1: ${status}`);
});

test.each(["createTask", "listEvents", "getTask"])(
  "a task that ends just after the answer to %s is not waited for in vain",
  async (name) => {
    await using at = await servedPlace();
    at.served.memory.afterAnswer = (answered) => {
      const [task] = at.served.memory.tasks;
      if (answered !== name || task === undefined || task.status === "succeeded") return;
      task.status = "succeeded";
      at.served.events.append(moved(task, "running", "succeeded"));
    };
    const { code, out, err } = await at.spawn(["task", "add", "-p", "api", "--wait", "--json", "Fix it"]);
    expect([code, err, (JSON.parse(out) as Task).status]).toEqual([0, "", "succeeded"]);
  },
);

test("an interrupt ends a command that follows, with 130 and without a word", async () => {
  await using at = await servedPlace();
  await using going = new Going(at, ["events", "-f", "--json"]);
  await expect.poll(() => (at.served.events.commit(), going.out), { timeout: 20_000 }).toContain('"run.message"');
  going.child.kill("SIGINT");
  await going.ended;
  expect([going.child.exitCode, going.err]).toEqual([130, ""]);
  for (const line of going.out.trimEnd().split("\n")) expect(JSON.parse(line)).toMatchObject({ type: "run.message" });
});

test("logs of a task are its events in order; with -f they go on until it has ended", async () => {
  await using at = await servedPlace();
  const task = await at.served.client.createTask({ body: { project: "api", title: "One" } });
  at.served.events.append(moved(task, "queued", "running"), moved(task, "running", "queued", "retry"));
  at.served.events.commit(3);
  const stored = await at.spawn(["task", "logs", "api#1"]);
  expect(stored.out.replace(/^.{19}/gm, "TIME")).toBe(
    "TIME  task.status_changed     queued → running\nTIME  task.status_changed     running → queued (retry)\n",
  );
  await using going = new Going(at, ["task", "logs", "-f", "api#1"]);
  await going.says("running → queued (retry)");
  const [own] = at.served.memory.tasks as [Task];
  own.status = "cancelled";
  at.served.events.append(moved(task, "queued", "cancelled"));
  await going.ended;
  expect([going.child.exitCode, going.out.trimEnd().split("\n").length]).toEqual([0, 3]);
  const again = await at.spawn(["task", "logs", "-f", "api#1"]);
  expect([again.code, again.out]).toEqual([0, going.out]);
});

test("what an agent prints is shown line by line", async () => {
  await using at = await servedPlace();
  await at.served.client.createTask({ body: { project: "api", title: "One" } });
  at.served.memory.output = lines("Reading orders.js", "\u001b[31mred");
  expect(await at.spawn(["task", "logs", "api#1", "--output"])).toEqual({ code: 0, out: "Reading orders.js\nred\n", err: "" });
  expect(at.served.memory.asked.at(-1)).toMatchObject({ name: "getRunOutput", params: { run: examples.getRun.response.id } });
});

test("logs -f goes on over a rotation of the file", async () => {
  await using at = await servedPlace();
  const file = join(at.home, "logs", "api.log");
  const entry = (msg: string) => `${JSON.stringify({ level: "info", time: 1_767_262_500_000, msg })}\n`;
  mkdirSync(join(at.home, "logs"));
  writeFileSync(file, entry("first"));
  await using going = new Going(at, ["logs", "-f", "--api"]);
  await going.says("first");
  appendFileSync(file, entry("second"));
  await going.says("second");
  appendFileSync(file, entry("third"));
  renameSync(file, `${file}.1`);
  writeFileSync(file, entry("fourth"));
  await going.says("fourth");
  expect(going.out.match(/info {2}\w+/g)).toEqual(["info  first", "info  second", "info  third", "info  fourth"]);
});
