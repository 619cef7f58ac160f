import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { Config } from "../../src/contract/config.ts";
import type { AgentEvent } from "../../src/agents/driver.ts";
import type { ModelScript, ModelStep } from "../../src/demo/model-script.ts";
import type { Watched } from "../programs/watcher.ts";
import { createBench, type AgentBench, type DriverSubject, type Lack } from "../support/agent-bench.ts";
import { AgentRun } from "../support/agent-run.ts";

/** A bench that ends with the test. */
export async function openBench(subject: DriverSubject, script: ModelScript): Promise<AgentBench> {
  const bench = await createBench(subject, script);
  onTestFinished(() => bench[Symbol.asyncDispose]());
  return bench;
}

export const PROMPT = "TASK: add a sum function, please.";
export const taskScript = (...steps: ModelStep[]): ModelScript => ({ scenarios: [{ when: "TASK:", steps }] });
export const WRITE: ModelStep = {
  text: "I write the file.",
  calls: [{ kind: "write", path: "sum.mjs", content: "export const sum = (a, b) => a + b;\n" }],
};
const TEST: ModelStep = {
  calls: [
    { kind: "run", command: `${process.execPath} -e 'import("./sum.mjs").then(({ sum }) => { if (sum(2, 3) !== 5) process.exit(1); })'` },
  ],
};
export const DONE: ModelStep = { text: "Done: sum adds." };
export const LONG: ModelStep = {
  calls: [{ kind: "run", command: `touch started; exec ${process.execPath} -e 'setTimeout(() => {}, 600000)'` }],
};
/** With the wish to be asked again at once, as far as the agent grants it. */
const OUTAGE = { kind: "error", status: 529, headers: { "retry-after-ms": "20" } } as const;

/** What every driver must do with an agent program of its kind. */
export function describeDriver(name: string, subject: DriverSubject): void {
  const tells = (what: Lack) => !subject.lacks?.includes(what);
  const { write, run: command } = subject.tools ?? { write: "Write", run: "Bash" };
  describe(`the driver ${name}`, () => {
    test("lets the agent write a file and run a command with its own tools, and tells all of it", async () => {
      const { start, workspace, model } = await openBench(subject, taskScript(WRITE, TEST, DONE));
      const run = await start({ prompt: PROMPT });
      const { verdict, report, end } = await run.conclude();
      expect({ verdict, report, end }).toEqual({
        verdict: { ok: true },
        report: "Done: sum adds.",
        end: { state: "exited", exitCode: 0, signal: null },
      });
      expect(await readFile(join(workspace, "sum.mjs"), "utf8")).toContain("a + b");
      expect(outline(run.events)).toEqual([
        "session_started",
        "message I write the file.",
        `tool_called ${write}`,
        `tool_finished ${write}`,
        `tool_called ${command}`,
        `tool_finished ${command}`,
        "message Done: sum adds.",
        "turn_ended ok",
      ]);
      const requests = tells("totals") ? 3 : 1;
      expect(usageOf(run)).toMatchObject({ inputTokens: requests * 1000, outputTokens: requests * 50, cacheReadTokens: 0 });
      expect(usageOf(run)?.costUsdMicros).toEqual(tells("cost") ? expect.any(Number) : null);
      if (tells("cost")) expect(usageOf(run)?.costUsdMicros).toBeGreaterThan(0);
      expect(model.journal.map(({ turn }) => turn)).toEqual([0, 1, 2]);
    });

    test("goes on with a session: the agent knows what was said, and usage and cost are the second run's alone", async () => {
      const { start, model } = await openBench(subject, taskScript(DONE));
      const first = await start({ prompt: "TASK: remember the word heron." });
      await first.conclude();
      const { sessionId } = await first.until("session_started");
      const second = await start({ prompt: "TASK: go on.", sessionId });
      expect((await second.conclude()).verdict).toEqual({ ok: true });
      expect(await second.until("session_started")).toMatchObject({ sessionId });
      expect(model.journal.map(({ body }) => body.includes("heron"))).toEqual([true, true]);
      expect(usageOf(second)).toEqual({ ...usageOf(first), ...(tells("totals") ? {} : { costUsdMicros: null }) });
    });

    test("hands over a prompt of 300 kB with every character in it", async () => {
      const { start, model } = await openBench(subject, taskScript(DONE));
      const prompt = `TASK: read this. "quoted" \\ $HOME \`tick\` ' \u2028 é 😀\n${"line of an issue\n".repeat(18_000)}the end`;
      expect((await (await start({ prompt })).conclude()).verdict).toEqual({ ok: true });
      expect(model.journal[0]?.body).toContain(JSON.stringify(prompt).slice(1, -1));
    });

    (tells("questions") ? describeQuestions : describeRefusal)(subject);

    test("an overload that passes is told, and is no failure", async () => {
      const { start } = await openBench(subject, taskScript({ ...DONE, trouble: { ...OUTAGE, times: 1 } }));
      const run = await start({ prompt: PROMPT });
      expect((await run.conclude()).verdict).toEqual({ ok: true });
      const retried = { type: "retrying", attempt: 1, message: expect.stringContaining("529") as string };
      expect(run.events.filter(({ type }) => type === "retrying")).toMatchObject(tells("retries") ? [retried] : []);
    });

    test("a request that the model answers with an outage for good has failed as overloaded", async () => {
      const { start } = await openBench(subject, taskScript({ ...DONE, trouble: OUTAGE }));
      const { verdict, end } = await (await start({ prompt: PROMPT })).conclude();
      const failed = tells("statuses")
        ? { reason: "overloaded", message: expect.stringContaining("529") as string }
        : { reason: "agent_error" };
      expect(verdict).toMatchObject({ ok: false, ...failed, retryAt: null });
      expect(end.state).toBe("exited");
    });

    test("a refused key has failed as auth", async () => {
      const { start } = await openBench(subject, taskScript({ ...DONE, trouble: { kind: "error", status: 401 } }));
      expect((await (await start({ prompt: PROMPT })).conclude()).verdict).toMatchObject({
        ok: false,
        reason: tells("statuses") ? "auth" : "agent_error",
        retryAt: null,
      });
    });

    test(`an answer that breaks off once is ${tells("reconnection") ? "asked for again" : "an overload"}`, async () => {
      const { start } = await openBench(subject, taskScript({ ...DONE, trouble: { kind: "cut", times: 1 } }));
      const run = await start({ prompt: PROMPT });
      const overload = { ok: false, reason: "overloaded" };
      expect((await run.conclude()).verdict).toMatchObject(tells("reconnection") ? { ok: true } : overload);
      expect(run.events.some(({ type }) => type === "retrying")).toBe(tells("retries"));
    });

    // The patient one is left out by its name, so that nothing counts as skipped.
    test.for(subject.isPatient ? [] : ["answers that always break off are no success"])("%s", async () => {
      const { start } = await openBench(subject, taskScript({ ...DONE, trouble: { kind: "cut" } }));
      expect((await (await start({ prompt: PROMPT })).conclude()).verdict).toMatchObject({ ok: false, reason: "overloaded" });
    });

    test("an agent that is ended while a tool runs is no success, and the tool is gone too", async () => {
      const { start, workspace } = await openBench(subject, taskScript(LONG, DONE));
      const run = await start({ prompt: PROMPT });
      await fileAppears(workspace, "started");
      expect(processesIn(workspace).length > 0).toBe(process.platform === "linux");
      await run.stop(5000);
      const { verdict, end } = await run.conclude();
      expect(verdict).toMatchObject({ ok: false, reason: "agent_error" });
      expect(end.state).toBe("exited");
      expect(processesIn(workspace)).toEqual([]);
    });

    test("the agent and its tools see the variables they were given and no others of ours", async () => {
      const secrets = { GITHUB_TOKEN: "canary-one", AWS_SECRET_ACCESS_KEY: "canary-two" };
      for (const [name, value] of Object.entries(secrets)) vi.stubEnv(name, value);
      onTestFinished(() => void vi.unstubAllEnvs());
      const { start, workspace } = await openBench(subject, taskScript({ calls: [{ kind: "run", command: "env > seen.txt" }] }, DONE));
      expect((await (await start({ prompt: PROMPT, env: { GIVEN: "yes" } })).conclude()).verdict).toEqual({ ok: true });
      const seen = await readFile(join(workspace, "seen.txt"), "utf8");
      expect(seen).toContain("GIVEN=yes\n");
      expect(seen).toContain("DROVER_RUN=run-1\n");
      expect(seen).not.toMatch(/canary/u);
    });
  });
}

/** What a driver must do whose agent has no way to ask a person. */
function describeRefusal(subject: DriverSubject): void {
  test("is refused where it is to ask a person, and says which driver can", async () => {
    const { start, request } = await openBench(subject, taskScript(DONE));
    await expect(start({ prompt: PROMPT, permissions: "ask" })).rejects.toThrow("driver `acp`");
    const { agent, env, path } = request({ prompt: PROMPT, permissions: "ask" });
    expect(await subject.driver.detect(agent, { ...env, PATH: path }, new AbortController().signal)).toEqual({
      found: false,
      message: expect.stringContaining("driver `acp`"),
    });
  });
}

/** What a driver must do whose agent asks a person. */
function describeQuestions(subject: DriverSubject): void {
  const { write, run: command } = subject.tools ?? { write: "Write", run: "Bash" };

  test("asks a person, and a yes lets the agent do it", async () => {
    const { start, workspace } = await openBench(subject, taskScript(WRITE, DONE));
    const run = await start({ prompt: PROMPT, permissions: "ask" });
    const question = await run.until("question_asked");
    expect(question.tool).toBe(write);
    expect(question.input).toContain("export const sum = (a, b) => a + b;");
    expect(existsSync(join(workspace, "sum.mjs"))).toBe(false);
    await run.answer(question, { allow: true, message: "" });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    expect(existsSync(join(workspace, "sum.mjs"))).toBe(true);
  });

  test("a no is no success when the agent stops there", async () => {
    const { start, workspace, model } = await openBench(subject, taskScript(WRITE, DONE));
    const run = await start({ prompt: PROMPT, permissions: "ask" });
    await run.answer(await run.until("question_asked"), { allow: false, message: "Not in this folder." });
    const { verdict } = await run.conclude();
    expect(verdict).toMatchObject({ ok: false, reason: "permission_denied", message: expect.stringContaining(write) });
    expect(model.journal[1]?.body.includes("Not in this folder.")).toBe(!subject.lacks?.includes("reasons"));
    expect(existsSync(join(workspace, "sum.mjs"))).toBe(false);
  });

  test("a no is no failure when the agent finds another way", async () => {
    const { start, workspace } = await openBench(subject, taskScript(WRITE, { calls: [{ kind: "run", command: "touch other" }] }, DONE));
    const run = await start({ prompt: PROMPT, permissions: "ask" });
    await run.answer(await run.until("question_asked", ({ tool }) => tool === write), { allow: false, message: "no" });
    await run.answer(await run.until("question_asked", ({ tool }) => tool === command), { allow: true, message: "" });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    expect(existsSync(join(workspace, "other"))).toBe(true);
  });

  test("a question outlives the process that started the agent: another one answers it", async () => {
    const { host, folder, workspace, request } = await openBench(subject, taskScript(WRITE, DONE));
    const place = { directory: join(folder, "run"), marker: "run" };
    const asked = await dieWatching({
      scope: folder,
      driver: subject.driver.name,
      models: subject.models?.() ?? Config.parse({}),
      request: request({ prompt: PROMPT, permissions: "ask" }),
      ...place,
    });
    const run = new AgentRun(host, subject.driver, place);
    const question = await run.until("question_asked");
    expect(question).toEqual(asked);
    await run.answer(question, { allow: true, message: "" });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    expect(existsSync(join(workspace, "sum.mjs"))).toBe(true);
  });
}

/** Lets another process start the agent and kills that process when the agent has asked a question. */
async function dieWatching(watched: Watched): Promise<unknown> {
  const file = join(watched.request.workspace, "..", "watched.json");
  await writeFile(file, JSON.stringify(watched));
  const child = spawn(process.execPath, [program("watcher.ts"), file], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  const [question] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  child.kill("SIGKILL");
  await closed;
  return JSON.parse(question);
}

export async function fileAppears(folder: string, name: string): Promise<void> {
  const stop = new AbortController();
  const changes = watch(folder, { signal: stop.signal });
  if (existsSync(join(folder, name))) return stop.abort();
  for await (const { filename } of changes) if (filename === name) return;
}

/** Commands of processes that work in a folder; elsewhere than on Linux none is found. */
function processesIn(folder: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === folder ? [readFileSync(`/proc/${pid}/cmdline`, "utf8")] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** The events as lines, without what differs from run to run; of several `usage` none. */
function outline(events: readonly AgentEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case "usage":
        return [];
      case "message":
        return [`message ${event.text}`];
      case "tool_called":
        return [`tool_called ${event.tool}`];
      case "tool_finished":
        return [`tool_finished ${event.tool}${event.failed ? " failed" : ""}`];
      case "turn_ended":
        return [`turn_ended ${event.verdict.ok ? "ok" : event.verdict.reason}`];
      default:
        return [event.type];
    }
  });
}

function usageOf(run: AgentRun) {
  return run.events.findLast((event) => event.type === "usage")?.usage;
}

export const program = (name: string) => fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
