/**
 * Records what can be seen of real agents in the situations whose states must be told apart, for test/corpus/run-states:
 * `node scripts/record-states.ts [AGENT ...]`. Each runs against the scripted model in a network namespace, under the real
 * process host, with limits of seconds. What is true at a moment is known from the script, not from what is recorded.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { existsSync, watch } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { commandDriver } from "../src/agents/command.ts";
import { AgentConfig } from "../src/contract/config.ts";
import type { RunStateName } from "../src/contract/run.ts";
import type { ModelScript, ModelStep } from "../src/demo/model-script.ts";
import { newestChange } from "../src/process/newest-change.ts";
import { readSpool } from "../src/process/spool.ts";
import { createBench, realClaude, type AgentBench, type DriverSubject, type StartOptions } from "../test/support/agent-bench.ts";
import type { AgentRun } from "../test/support/agent-run.ts";
import { realCodex, realGemini, realOpencode } from "../test/support/real-agents.ts";
import type { Seen, Situation } from "../test/corpus/situation.ts";
import { anonymous, withoutIds } from "./recording.ts";

const folder = join(import.meta.dirname, "../test/corpus/run-states");
const LIMITS = { silenceMs: 6000, repeatMax: 5 };
const LOOK_EVERY_MS = 500;

const smallAgent: DriverSubject = {
  driver: commandDriver,
  open: async ({ socket }) => ({
    agent: AgentConfig.parse({
      driver: "command",
      command: [process.execPath, join(import.meta.dirname, "../test/programs/small-agent.ts")],
    }),
    env: { MODEL_SOCKET: socket },
    async [Symbol.asyncDispose]() {},
  }),
};
const subjects: Readonly<Record<string, DriverSubject>> = {
  claude: realClaude,
  codex: realCodex,
  gemini: realGemini,
  opencode: realOpencode,
  command: smallAgent,
};

/** What a situation is played with: `is` says what is true at this moment. */
interface Stage {
  readonly run: AgentRun;
  readonly bench: AgentBench;
  readonly is: (state: RunStateName) => void;
}

interface Play {
  readonly about: string;
  readonly steps: readonly ModelStep[];
  readonly options?: Partial<StartOptions>;
  /** The only agents that come into it; default: all. */
  readonly agents?: readonly string[];
  readonly act: (stage: Stage) => Promise<void>;
}

const write: ModelStep = { text: "I write the file.", calls: [{ kind: "write", path: "a.txt", content: "hello\n" }] };
const done: ModelStep = { text: "Done." };
const command = (line: string): ModelStep => ({ calls: [{ kind: "run", command: line }] });
const trouble = (status: number, more: object = {}): ModelStep => ({ ...done, trouble: { kind: "error", status, ...more } });
const toolOf = async ({ run }: Stage) => void (await run.until("tool_called"));
/** Long enough for silence to count. */
const AWHILE_MS = LIMITS.silenceMs / 2 + 1500;

const plays: Readonly<Record<string, Play>> = {
  works: {
    about: "writes a file, runs a command and is done",
    steps: [write, command("cat a.txt"), done],
    act: async (stage) => {
      await toolOf(stage);
      stage.is("running");
    },
  },
  "silent-command": {
    about: "waits for a command that prints nothing and needs no processor, longer than silence may last",
    steps: [command("touch started; sleep 9"), done],
    act: async (stage) => {
      await started(stage);
      await sleep(AWHILE_MS);
      stage.is("running");
      await sleep(2500);
      stage.is("running");
    },
  },
  "busy-command": {
    about: "waits for a command that computes and says nothing",
    steps: [command("touch started; timeout 8 sh -c 'while :; do :; done'; true"), done],
    act: async (stage) => {
      await started(stage);
      await sleep(AWHILE_MS);
      stage.is("running");
    },
  },
  "slow-model": {
    about: "waits for a model that thinks, not too long",
    steps: [
      { ...write, delayMs: 2000 },
      { ...done, delayMs: 2000 },
    ],
    act: async (stage) => {
      await toolOf(stage);
      await sleep(1500);
      stage.is("running");
    },
  },
  "model-hangs": {
    about: "waits for a model that never answers",
    steps: [write, { ...done, trouble: { kind: "hang" } }],
    act: async (stage) => {
      await toolOf(stage);
      stage.is("running");
      await stage.run.until("tool_finished");
      await sleep(AWHILE_MS + 2500);
      stage.is("stuck");
      await stage.run.stop(3000);
    },
  },
  killed: {
    about: "is killed while it works",
    steps: [command("touch started; sleep 30"), done],
    act: async (stage) => {
      await started(stage);
      stage.is("running");
      const { pid } = JSON.parse(await readFile(join(stage.bench.folder, "run-1", "agent", "identity"), "utf8")) as { pid: number };
      process.kill(pid, "SIGKILL");
      await sleep(200);
      await stage.run.stop(0);
    },
  },
  repeats: {
    about: "calls the same tool with the same input again and again",
    steps: [...Array.from({ length: 9 }, () => ({ ...command("cat a.txt"), delayMs: 300 })), done],
    act: async (stage) => {
      let calls = 0;
      await stage.run.until("tool_called", () => (calls += 1) > 0);
      stage.is("running");
      while (stage.run.events.filter(({ type }) => type === "tool_called").length < 7) await sleep(20);
      stage.is("stuck");
    },
  },
  overloaded: {
    about: "is told by its provider that it is overloaded, and gives up",
    steps: [trouble(529)],
    act: async () => {},
  },
  "rate-limited-once": {
    about: "is told once to ask later, and goes on",
    steps: [trouble(429, { times: 1 }), done],
    act: async () => {},
  },
  "key-refused": {
    about: "has a key that its provider refuses",
    steps: [trouble(401)],
    act: async () => {},
  },
  asks: {
    about: "asks to be allowed to write a file, and is allowed",
    agents: ["claude", "command"],
    options: { permissions: "ask" },
    steps: [write, { ...done, delayMs: 1500 }],
    act: async (stage) => {
      const question = await stage.run.until("question_asked");
      await sleep(AWHILE_MS);
      stage.is("waiting_permission");
      await stage.run.answer(question, { allow: true, message: "" });
      answered(stage, question.id);
      await sleep(700);
      stage.is("running");
    },
  },
  denied: {
    about: "asks to be allowed to write a file, and is not",
    agents: ["claude", "command"],
    options: { permissions: "ask" },
    steps: [write, done],
    act: async (stage) => {
      const question = await stage.run.until("question_asked");
      await sleep(300);
      stage.is("waiting_permission");
      await stage.run.answer(question, { allow: false, message: "No." });
      answered(stage, question.id);
    },
  },
};

/** What comes at the end. */
const ends: Readonly<Record<string, RunStateName>> = {
  works: "finished",
  "silent-command": "finished",
  "busy-command": "finished",
  "slow-model": "finished",
  "model-hangs": "crashed",
  killed: "crashed",
  repeats: "finished",
  overloaded: "rate_limited",
  "rate-limited-once": "finished",
  "key-refused": "finished",
  asks: "finished",
  denied: "finished",
};

/** Codex is told here to try nothing twice; OpenCode tries for ever, until it is stopped. */
const ownEnds: Readonly<Record<string, RunStateName>> = { "codex-rate-limited-once": "rate_limited", "opencode-overloaded": "crashed" };

const answers = new WeakMap<AgentRun, string[]>();
function answered({ run }: Stage, id: string): void {
  answers.set(run, [...(answers.get(run) ?? []), id]);
}

await mkdir(folder, { recursive: true });
const wanted = process.argv.slice(2);
for (const [agent, subject] of Object.entries(subjects)) {
  for (const [name, play] of Object.entries(plays)) {
    if (wanted.length > 0 && !wanted.includes(agent) && !wanted.includes(`${agent}-${name}`)) continue;
    if (play.agents && !play.agents.includes(agent)) continue;
    try {
      const situation = await record(agent, subject, name, play);
      await writeFile(join(folder, `${agent}-${name}.json`), `${withoutIds(JSON.stringify(situation, undefined, 1))}\n`);
      console.log(`${agent}-${name}: ${situation.expect.map(([at, state]) => `${state}@${at}`).join(" ")}`);
    } catch (thrown) {
      console.error(`${agent}-${name} was not recorded: ${thrown instanceof Error ? thrown.message.slice(0, 300) : String(thrown)}`);
    }
  }
}

async function record(agent: string, subject: DriverSubject, name: string, play: Play): Promise<Situation> {
  const script: ModelScript = { scenarios: [{ when: "TASK:", steps: play.steps }] };
  await using bench = await createBench(subject, script);
  const startedAt = Date.now();
  const run = await bench.start({ prompt: "TASK: do it", reportsHooks: true, ...play.options });
  const seen: Seen[] = [];
  const expect: [number, RunStateName][] = [];
  const now = () => Date.now() - startedAt;
  const watching = new AbortController();
  const watched = watchAll({ bench, run, startedAt, seen, signal: watching.signal });
  await Promise.race([
    play.act({ run, bench, is: (state) => expect.push([now(), state]) }),
    run.conclude().then(() => sleep(500)),
    sleep(60_000, undefined, { ref: false }),
  ]);
  await Promise.race([run.conclude(), sleep(60_000, undefined, { ref: false }).then(() => run.stop(1000))]);
  const { end, verdict } = await run.conclude();
  watching.abort();
  await watched;
  const stderr = (await readFile(join(bench.folder, "run-1", "agent", "err"), "utf8")).slice(-1000);
  seen.push([now(), "ended", { exitCode: end.state === "exited" ? end.exitCode : null, stderr }]);
  expect.push([now() + 1, ownEnds[`${agent}-${name}`] ?? ends[name] ?? "finished"]);
  const version = verdict.ok ? "" : ` It ended with ${verdict.reason}.`;
  return {
    agent,
    driver: subject.driver.name,
    about: `${agent} ${play.about}.${version}`,
    source: "recorded",
    limits: LIMITS,
    seen: seen.toSorted(([one], [other]) => one - other).map((each) => withoutMachine(each, bench)),
    expect,
  };
}

/** Notes the lines, hooks, answers, processes and files of a run as they come. */
async function watchAll(of: { bench: AgentBench; run: AgentRun; startedAt: number; seen: Seen[]; signal: AbortSignal }): Promise<void> {
  const { bench, run, startedAt, seen, signal } = of;
  let [lines, spooled, given, lookedAt] = [0, 0, 0, 0];
  while (!signal.aborted) {
    const at = Date.now() - startedAt;
    for (const line of run.lines.slice(lines)) seen.push([at, "line", line]);
    lines = run.lines.length;
    const spool = await readSpool(join(bench.folder, "config", "hooks", "spool.jsonl"), spooled);
    for (const hook of spool.records) seen.push([at, "hook", JSON.parse(hook) as Record<string, unknown>]);
    spooled = spool.end;
    for (const id of (answers.get(run) ?? []).slice(given)) seen.push([at, "answered", id]);
    given = answers.get(run)?.length ?? 0;
    if (at - lookedAt >= LOOK_EVERY_MS) {
      lookedAt = at;
      const survey = (await bench.host.survey()).get("run-1");
      if (survey)
        seen.push([at, "look", { busyShare: round(survey.busyShare), startedAts: survey.startedAts.map((each) => each - startedAt) }]);
      const changedAt = await newestChange(bench.workspace, signal);
      if (changedAt !== null) seen.push([at, "files", changedAt - startedAt]);
    }
    await sleep(20);
  }
  const at = Date.now() - startedAt;
  for (const line of run.lines.slice(lines)) seen.push([at, "line", line]);
}

function withoutMachine([at, kind, what]: Seen, bench: AgentBench): Seen {
  if (kind !== "line") return [at, kind, anonymous(what, bench)] as Seen;
  try {
    return [at, kind, JSON.stringify(anonymous(JSON.parse(what), bench))];
  } catch {
    return [at, kind, anonymous(what, bench) as string]; // not JSON: text as it is
  }
}

function round(share: number): number {
  return Math.round(share * 100) / 100;
}

async function started({ bench }: Stage): Promise<void> {
  const file = join(bench.workspace, "started");
  await new Promise<void>((resolve) => {
    const watcher = watch(bench.workspace, () => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    });
    if (!existsSync(file)) return;
    watcher.close();
    resolve();
  });
}
