/**
 * Records what the real agents print in the situations that their readers must understand, against the scripted model in a
 * network namespace: `node scripts/record-agent.ts [AGENT [SITUATION ...]]`. Writes test/agents/recorded/AGENT/SITUATION.jsonl,
 * without what differs from machine to machine; the last line is ours and says how the program ended. In the situation `hooks` it is what
 * its hooks tell.
 */
import { mkdir, readFile, watch, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ModelScript, ModelStep } from "../src/demo/model-script.ts";
import { createBench, realClaude, type AgentBench, type DriverSubject, type StartOptions } from "../test/support/agent-bench.ts";
import type { AgentRun } from "../test/support/agent-run.ts";
import { realCodex, realGemini, realOpencode } from "../test/support/real-agents.ts";
import { readSpool } from "../src/process/spool.ts";
import { anonymous, withoutIds } from "./recording.ts";

interface Situation {
  readonly steps: readonly ModelStep[];
  readonly options?: Partial<StartOptions>;
  /** What happens before the run that is recorded; what it returns is added to the run's options. */
  readonly before?: (bench: AgentBench) => Promise<Partial<StartOptions>>;
  /** What a person or the daemon does meanwhile. */
  readonly meanwhile?: (run: AgentRun, bench: AgentBench) => Promise<void>;
}

const folder = join(import.meta.dirname, "../test/agents/recorded");
const write: ModelStep = { text: "I write the file.", calls: [{ kind: "write", path: "a.txt", content: "hello\n" }] };
const read: ModelStep = { calls: [{ kind: "run", command: "cat a.txt" }] };
const done: ModelStep = { text: "Done." };
const long: ModelStep = { calls: [{ kind: "run", command: "touch started; exec tail -f /dev/null" }] };
// Asked to be asked again at once, as far as the agent grants it.
const failing = (status: number, more: object = {}): ModelStep => ({
  ...done,
  trouble: { kind: "error", status, headers: { "retry-after-ms": "20" }, ...more },
});
const usageLimit = {
  "anthropic-ratelimit-unified-status": "rejected",
  "anthropic-ratelimit-unified-representative-claim": "five_hour",
  "anthropic-ratelimit-unified-reset": "1900000000",
};
const answerWith = (answer: { allow: boolean; message: string }) => async (run: AgentRun) =>
  run.answer(await run.until("question_asked"), answer);

const session = "11111111-1111-4111-8111-111111111111";

const fails: ModelStep = { calls: [{ kind: "run", command: "exit 3" }] };

/** What every agent meets. */
const situations: Record<string, Situation> = {
  hooks: { steps: [write, fails, failing(529, { times: 1 })], options: { reportsHooks: true } },
  worked: { steps: [write, read, done] },
  resumed: {
    steps: [done],
    before: async (bench) => {
      const first = await bench.start({ prompt: "TASK: begin" });
      await first.conclude();
      return { sessionId: (await first.until("session_started")).sessionId };
    },
  },
  "session-missing": { steps: [done], options: { sessionId: session } },
  overloaded: { steps: [failing(529, { times: 1 })] },
  outage: { steps: [failing(529)] },
  "key-refused": { steps: [failing(401)] },
  "model-unknown": { steps: [failing(404)] },
  "cut-off": { steps: [{ text: "Half an answer", trouble: { kind: "cut" } }] },
  terminated: {
    steps: [long, done],
    meanwhile: async (run, { workspace }) => {
      await untilStarted(workspace);
      await run.stop(10_000);
    },
  },
};

const ofClaude: Record<string, Situation> = {
  ...situations,
  allowed: { steps: [write, done], options: { permissions: "ask" }, meanwhile: answerWith({ allow: true, message: "" }) },
  denied: { steps: [write, done], options: { permissions: "ask" }, meanwhile: answerWith({ allow: false, message: "No." }) },
  "sub-agent": {
    steps: [
      { calls: [{ kind: "tool", tool: "Task", input: { description: "Look", prompt: "SUB: look", subagent_type: "general-purpose" } }] },
      done,
    ],
  },
  "usage-limit": {
    steps: [failing(429, { headers: usageLimit })],
    options: { env: { ANTHROPIC_API_KEY: "", CLAUDE_CODE_OAUTH_TOKEN: "dummy-token" } },
  },
  "not-logged-in": { steps: [done], options: { env: { ANTHROPIC_API_KEY: "" } } },
  "slash-command": { steps: [done], options: { prompt: "/compact" } },
  interrupted: {
    steps: [long, done],
    meanwhile: async (run, { workspace }) => {
      await untilStarted(workspace);
      await run.send(`${JSON.stringify({ type: "control_request", request_id: "stop", request: { subtype: "interrupt" } })}\n`);
    },
  },
};

/** As the providers tell that an allowance is used up. */
const atLimit = (error: object): Record<string, Situation> => ({
  ...situations,
  "usage-limit": { steps: [failing(429, { body: { error } })] },
});

const agents: Record<string, { subject: DriverSubject; situations: Record<string, Situation> }> = {
  claude: { subject: realClaude, situations: ofClaude },
  codex: {
    subject: realCodex,
    situations: {
      ...atLimit({ type: "usage_limit_reached", message: "The usage limit has been reached", plan_type: "plus", resets_at: 1_900_000_000 }),
      "failing-command": { steps: [{ calls: [{ kind: "run", command: "sleep 1; exit 3" }] }, done] },
    },
  },
  gemini: {
    subject: realGemini,
    situations: {
      ...atLimit({
        code: 429,
        message: "You exceeded your current quota, please check your plan and billing details.",
        status: "RESOURCE_EXHAUSTED",
      }),
      "failing-tool": { steps: [{ calls: [{ kind: "write", path: "../outside.txt", content: "x" }] }, done] },
    },
  },
  opencode: {
    subject: realOpencode,
    situations: {
      ...atLimit({ type: "usage_limit_reached", message: "You have reached your usage limit for this month." }),
      "failing-tool": { steps: [{ calls: [{ kind: "write", path: "../outside.txt", content: "x" }] }, done] },
    },
  },
};

const [wantedAgent, ...wanted] = process.argv.slice(2);
for (const [agent, { subject, situations: its }] of Object.entries(agents)) {
  if (wantedAgent !== undefined && wantedAgent !== agent) continue;
  await mkdir(join(folder, agent), { recursive: true });
  for (const [name, situation] of Object.entries(its)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await writeFile(join(folder, agent, `${name}.jsonl`), await record(subject, situation));
    console.log(`${agent} ${name}`);
  }
}

async function record(subject: DriverSubject, { steps, options, before, meanwhile }: Situation): Promise<string> {
  const script: ModelScript = {
    scenarios: [
      { when: "SUB:", steps: [read, done] },
      { when: "TASK:", steps },
    ],
  };
  await using bench = await createBench(subject, script);
  const more = await before?.(bench);
  const run = await bench.start({ prompt: "TASK: do it", ...options, ...more });
  await meanwhile?.(run, bench);
  const { end } = await run.conclude();
  const directory = join(bench.folder, `run-${before ? 2 : 1}`, "agent");
  const stderr = await readFile(join(directory, "err"), "utf8");
  const ended = { type: "recorded_end", exitCode: end.state === "exited" ? end.exitCode : null, stderr };
  const told = options?.reportsHooks ? (await readSpool(join(bench.folder, "config", "hooks", "spool.jsonl"), 0)).records : undefined;
  const lines = (told ?? [...run.lines, JSON.stringify(ended)]).map((line) => JSON.stringify(anonymous(JSON.parse(line), bench)));
  return `${withoutIds(lines.join("\n"))}\n`;
}

async function untilStarted(workspace: string): Promise<void> {
  const stop = new AbortController();
  const changes = watch(workspace, { signal: stop.signal });
  if (existsSync(join(workspace, "started"))) return stop.abort();
  for await (const { filename } of changes) if (filename === "started") return;
}
