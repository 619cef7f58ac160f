import { join } from "node:path";
import { claudeDriver } from "../agents/claude.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import type { Client } from "../client/client.ts";
import { AgentConfig } from "../contract/config.ts";
import type { Proof } from "../contract/proof.ts";
import type { TaskDetail } from "../contract/routes.ts";
import { startModelServer } from "./model-server.ts";
import { Playground, scriptedAgent } from "./playground.ts";
import { describeEvent, describeProof } from "./progress.ts";
import { readScenario, sampleProject } from "./scenario.ts";

/**
 * scripted: Drover's own agent against a scripted model; needs nothing. claude-scripted: Claude Code against the scripted
 * model. claude: Claude Code with the person's own login, which costs them tokens.
 */
export const demoAgents = ["scripted", "claude-scripted", "claude"] as const;
export type DemoAgent = (typeof demoAgents)[number];

export interface DemoOptions {
  /** Leave the demo's folder behind. */
  readonly keep: boolean;
  /** Write one JSON document at the end instead of the live view. */
  readonly json: boolean;
  /** Undefined: `claude` where it is logged in and `ask` is answered with yes, else `scripted`. */
  readonly agent: DemoAgent | undefined;
  /** Asks the person; undefined where there is no terminal. */
  readonly ask?: ((question: string) => Promise<boolean>) | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly signal: AbortSignal;
}

const TIME_LIMITS_MS = { scripted: 120_000, "claude-scripted": 180_000, claude: 900_000 } as const satisfies Record<DemoAgent, number>;
const DETECT_TIMEOUT_MS = 10_000;

/**
 * Turns one issue of a sample project into a verified pull request before the person's eyes, with everything real but the
 * model: repository, daemon, workspace, agent process, checks. Leaves nothing behind unless told to. Rejects with the
 * signal's reason when aborted, `timeout` when it takes too long, `internal` when the task did not succeed.
 */
export async function runDemo(options: DemoOptions): Promise<void> {
  const clock = systemClock;
  const startedAt = clock.elapsed();
  const agent = options.agent ?? (await chooseAgent(options, clock));
  const limit = new AbortController();
  const tooLong = new AppError("timeout", "The demo did not come to an end in time. `--keep` leaves its logs for you to look at.");
  const cancelLimit = clock.setTimer(TIME_LIMITS_MS[agent], () => limit.abort(tooLong));
  const signal = AbortSignal.any([options.signal, limit.signal]);
  try {
    await using model =
      agent === "claude" ? undefined : await startModelServer({ script: await readScenario(), listen: { port: 0 }, clock });
    const env = model ? { ...options.env, ANTHROPIC_BASE_URL: model.address, ANTHROPIC_API_KEY: "scripted" } : options.env;
    const usual = model ? scriptedAgent(model) : { agent: agents.claude, providers: {} };
    const doer = agent === "claude-scripted" ? { ...usual, agent: agents[agent] } : usual;
    await using playground = await Playground.make({ ...doer, project: sampleProject, env, keep: options.keep, clock });
    const say = options.json ? () => {} : (line: string) => options.write(`${line}\n`);
    for (const line of banner(agent, playground)) say(line);
    const client = await playground.startDaemon();
    const task = await watchTask({ client, playground, signal, say: (line) => say(`${seconds(clock.elapsed() - startedAt)}  ${line}`) });
    const result = await readResult(client, task, signal);
    const report = {
      ...result,
      agent,
      scripted: agent !== "claude",
      durationMs: Math.round(clock.elapsed() - startedAt),
      kept: options.keep ? playground.folder : null,
    };
    options.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${describeResult(report).join("\n")}\n`);
  } finally {
    cancelLimit();
  }
}

const installed = join(import.meta.dirname, "..", "..", "node_modules");
const agents = {
  // The one that the tests use, so that a development clone has it.
  "claude-scripted": AgentConfig.parse({
    driver: "claude",
    command: [join(installed, ".bin", "claude")],
    env: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
  }),
  claude: AgentConfig.parse({ driver: "claude", env: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"] }),
} satisfies Record<Exclude<DemoAgent, "scripted">, AgentConfig>;

/** Claude Code is only offered where it is logged in and somebody can say yes: it costs the person's own tokens. */
async function chooseAgent({ ask, env, signal }: DemoOptions, clock: Clock): Promise<DemoAgent> {
  if (!ask) return "scripted";
  const known = Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  const stop = new AbortController();
  const cancel = clock.setTimer(DETECT_TIMEOUT_MS, () => stop.abort());
  const detection = await claudeDriver(clock)
    .detect(agents.claude, known, AbortSignal.any([signal, stop.signal]))
    .catch(() => undefined);
  cancel();
  signal.throwIfAborted();
  if (!detection?.found || detection.loggedIn !== true) return "scripted";
  const yes = await ask(
    `Claude Code ${detection.version} is logged in here. Let it do the work? It uses your own tokens; no: a scripted model, free.`,
  );
  return yes ? "claude" : "scripted";
}

function banner(agent: DemoAgent, { project }: Playground): string[] {
  const who = {
    scripted:
      "The model is SCRIPTED: it plays back a recorded answer, and no AI is asked. Everything else is real:\nthe repository, the daemon, the workspace, the agent's process, the tests, the pull request.",
    "claude-scripted": "Claude Code works here, but its model is SCRIPTED: it plays back a recorded answer, and no AI is asked.",
    claude: "Claude Code works here with your own login.",
  };
  return ["", "Drover demo: from an issue to a verified pull request", "", who[agent], "", `Sample project: ${project}`, ""];
}

interface Watch {
  readonly client: Client;
  readonly playground: Playground;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Registers the project, and tells what happens until its issue's task has ended and all that follows from it is done. */
async function watchTask({ client, playground, signal, say }: Watch): Promise<TaskDetail> {
  say("daemon started");
  const project = await client.registerProject({ body: { path: playground.project, name: "tally" }, signal });
  say(`project registered: ${project.name}`);
  // The daemon looks at a new project by itself; asking makes it now.
  await client.pollProject({ params: { project: project.name }, signal });
  for await (const event of client.streamEvents({ query: { after: 0, project: project.name }, signal })) {
    const line = describeEvent(event);
    if (line !== undefined) say(line);
    if (event.taskId === null) continue;
    if (event.type === "task.status_changed" || event.type === "effect.done" || event.type === "effect.failed") {
      const task = await client.getTask({ params: { task: event.taskId }, signal });
      if (isOver(task)) return task;
    }
  }
  throw new AppError("unavailable", "The daemon ended before the work was done. `--keep` leaves its logs for you to look at.");
}

function isOver(task: TaskDetail): boolean {
  if (task.status === "blocked" || task.status === "failed" || task.status === "cancelled") return true;
  return task.status === "succeeded" && task.effects.every(({ status }) => status !== "pending");
}

interface Result {
  readonly task: string;
  readonly pullRequest: { readonly url: string | null; readonly title: string; readonly body: string; readonly branch: string };
  readonly proof: Proof;
  readonly diff: string;
}

async function readResult(client: Client, task: TaskDetail, signal: AbortSignal): Promise<Result> {
  const outcome = task.runs.map((run) => run.outcome).find((one) => one?.status === "succeeded");
  const pull = task.effects.map((effect) => effect.payload).find((payload) => payload.kind === "pull_request");
  if (task.status !== "succeeded" || outcome?.status !== "succeeded" || !pull) {
    throw new AppError(
      "internal",
      `${task.key} is ${task.status}: ${task.message ?? task.reason ?? "no reason given"}. \`--keep\` leaves the logs for you to look at.`,
    );
  }
  const diff = await client.getTaskDiff({ params: { task: task.id }, signal });
  const { title, body, branch } = pull;
  return { task: task.key, pullRequest: { url: task.pullRequest?.url ?? null, title, body, branch }, proof: outcome.proof, diff };
}

function describeResult(report: Result & { durationMs: number; kept: string | null }): string[] {
  const { pullRequest, proof, diff, durationMs, kept } = report;
  return [
    ...rule(`Pull request: ${safeText(pullRequest.title)}`),
    safeText(pullRequest.body).trim(),
    ...rule("Its diff"),
    safeText(diff).trimEnd(),
    ...rule("Its proof, as the daemon saw it"),
    ...describeProof(proof),
    "",
    `An issue became a verified pull request in ${seconds(durationMs).trim()}. ${kept === null ? "Nothing is left of the demo." : `Everything is in ${kept}.`}`,
    "",
    "Next, with a repository of yours:",
    ...nextSteps.map((step) => `  ${step}`),
  ];
}

function rule(title: string): string[] {
  return ["", `--- ${title} ${"-".repeat(Math.max(3, 90 - title.length))}`, ""];
}

const launcher = join(import.meta.dirname, "..", "..", "drover");
const nextSteps = [
  `ln -s ${launcher} ~/.local/bin/drover`,
  "cd ~/code/your-repository && drover init      which checks say that a change is done",
  "drover daemon start",
  "drover project register                       then label an issue, or: drover task add '...'",
];

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(5)} s`;
}
