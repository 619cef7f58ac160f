import { systemClock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import type { Client } from "../client/client.ts";
import type { Event } from "../contract/event.ts";
import type { TaskDetail } from "../contract/routes.ts";
import { findExamples, readExamples, type Example } from "./example.ts";
import { startModelServer } from "./model-server.ts";
import { Playground, scriptedAgent } from "./playground.ts";

/** What an example came to. */
export interface ExampleResult {
  readonly name: string;
  readonly task: string;
  readonly status: string;
  readonly branch: string | null;
  /** What its pull request says; null: there is none. */
  readonly pullRequest: string | null;
  readonly reports: readonly { readonly verdict: string; readonly summary: string }[];
  readonly durationMs: number;
}

export interface ExamplesOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Tells what happens, a line at a time. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

const TIME_LIMIT_MS = 180_000;
const LINE_MAX = 110;

/** Their names and titles. */
export async function listExamples(): Promise<{ name: string; title: string }[]> {
  return (await readExamples()).map(({ name, title }) => ({ name, title }));
}

/**
 * Runs examples one after the other, each with a daemon and a home of its own, and leaves nothing behind. Everything is real but
 * the model. Throws `not_found` for one that there is not, `timeout` when one takes too long, `internal` when its task did not succeed.
 * @param names which; null: all.
 */
export async function runExamples(names: readonly string[] | null, options: ExamplesOptions): Promise<ExampleResult[]> {
  const examples = names === null ? await readExamples() : await findExamples(names);
  const results: ExampleResult[] = [];
  for (const example of examples) results.push(await runOne(example, options));
  return results;
}

async function runOne(example: Example, { env, say, signal }: ExamplesOptions): Promise<ExampleResult> {
  const clock = systemClock;
  const startedAt = clock.elapsed();
  const limit = new AbortController();
  const cancelLimit = clock.setTimer(TIME_LIMIT_MS, () =>
    limit.abort(new AppError("timeout", `The example ${example.name} did not come to an end in time.`)),
  );
  try {
    await using model = await startModelServer({ script: example.script, listen: { port: 0 }, clock });
    const scripted = scriptedAgent(model);
    await using playground = await Playground.make({ ...scripted, project: example.project, env, keep: false, clock });
    say(`${example.name}: ${example.title}`);
    const client = await playground.startDaemon();
    const task = await follow(client, playground.project, example, { say, signal: AbortSignal.any([signal, limit.signal]) });
    const { items } = await client.listReports({ query: { limit: 10 }, signal });
    const reports = items.map(({ verdict, summary }) => ({ verdict, summary }));
    const durationMs = Math.round(clock.elapsed() - startedAt);
    const { key, status, branch } = task;
    const pullRequest = pullRequestText(task);
    return { name: example.name, task: key, status, branch: pullRequest && branch, pullRequest, reports, durationMs };
  } finally {
    cancelLimit();
  }
}

/** Files the example's task and tells what happens, until it has succeeded and all that follows from that is done. */
async function follow(
  client: Client,
  path: string,
  example: Example,
  { say, signal }: Pick<ExamplesOptions, "say" | "signal">,
): Promise<TaskDetail> {
  const { name } = example;
  const project = await client.registerProject({ body: { path, name }, signal });
  const id = await file(client, example, signal);
  const approve = example.task.kind === "task" && example.task.approve;
  const keys = new Map<string, string>();
  for await (const event of client.streamEvents({ query: { after: 0, project: project.name }, signal })) {
    if (event.type === "task.created" && event.taskId !== null) keys.set(event.taskId, event.data.key);
    const line = describe(event);
    if (line !== undefined) say(`  ${keys.get(event.taskId ?? "") ?? name}  ${safeLine(line, LINE_MAX)}`);
    const isChange = event.taskId === id && ["task.status_changed", "effect.done", "effect.failed"].includes(event.type);
    const task = isChange ? await client.getTask({ params: { task: id }, signal }) : undefined;
    if (task?.status === "blocked" && task.reason === "approval" && approve) {
      await client.approveTask({ params: { task: id }, signal });
      say(`  ${task.key}  approved, as a person would`);
    } else if (task !== undefined && ["blocked", "failed", "cancelled"].includes(task.status)) {
      throw new AppError(
        "internal",
        `${task.key} of the example ${name} is ${task.status}: ${task.message ?? task.reason ?? "no reason given"}`,
      );
    } else if (task?.status === "succeeded" && task.effects.every(({ status }) => status !== "pending")) return task;
  }
  throw new AppError("unavailable", `The daemon ended before the example ${name} did.`);
}

/** Files it as a person would: `drover task add`, or `drover prd run --pr`. Returns its id. */
async function file(client: Client, { name, task }: Example, signal: AbortSignal): Promise<string> {
  if (task.kind === "prd") return (await client.runPrd({ body: { project: name, file: task.file, text: task.text }, signal })).id;
  const { title, body, workflow, parameters } = task;
  return (await client.createTask({ body: { project: name, title, body, workflow, parameters: { ...parameters } }, signal })).id;
}

function pullRequestText({ pullRequest, effects }: TaskDetail): string | null {
  const opened = effects.findLast(({ payload }) => payload.kind === "pull_request")?.payload;
  return pullRequest !== null && opened?.kind === "pull_request" ? opened.body : null;
}

/** What a person would want to see of an event; undefined: nothing. */
function describe(event: Event): string | undefined {
  switch (event.type) {
    case "task.created":
      return event.data.title;
    case "run.started":
      return `${event.data.stage} begins`;
    case "run.check_finished":
      return `${event.data.name} on the ${event.data.tree === "base" ? "base" : "result"}: ${event.data.exitCode === 0 ? "passes" : "fails"}`;
    case "run.ended": {
      const { outcome } = event.data;
      const gate = "proof" in outcome ? outcome.proof?.gate : undefined;
      return gate && `gate ${gate.gate}: ${gate.accepted ? "accepted" : "refused"}, ${gate.counts.failed} of its tests fail`;
    }
    case "report.written":
      return `verdict: ${event.data.verdict}`;
    case "task.status_changed":
      return ["succeeded", "failed", "blocked", "cancelled"].includes(event.data.to) ? event.data.to : undefined;
    default:
      return undefined;
  }
}
