import { AppError } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import type { NewEvent } from "../contract/event.ts";
import type { FailureReason, Question, Run } from "../contract/run.ts";
import type { AgentEvent, AgentVerdict, OutputReader } from "../agents/driver.ts";
import { priced } from "../domain/budget.ts";
import { HOSTED_SEAT } from "../domain/seats.ts";
import type { Observation } from "../domain/run-facts.ts";
import type { EndedState } from "../process/host.ts";
import type { Reader, Transaction } from "../store/database.ts";
import { getRun, seatsOfRun } from "../store/runs.ts";
import type { RunChange } from "../store/transitions.ts";
import { record, type Job } from "./job.ts";
import { memoryMessage } from "./limit-watch.ts";
import { agentLimits } from "./limits.ts";
import { learnOfOverload } from "./lessons.ts";
import { observationOf } from "./observations.ts";
import type { EngineParts } from "./parts.ts";

/** How an agent's turn ended. */
export interface TurnEnd {
  readonly verdict: AgentVerdict;
  /** Its last message. */
  readonly report: string;
}

/** HTTP statuses by which a provider says that it is asked too much. */
const OVERLOAD_STATUSES: readonly number[] = [429, 529];

/** Stored at most this much behind a flood, so that reading slows down instead of memory growing. */
const PENDING_MAX = 500;

/** So much of what an agent says in a run is stored as events. What it says beyond is only in its output. */
const SAID_MAX = 10_000;

/**
 * Follows the agent of a run to its end and says how it ended. Reads its output from the start, so that an adopting daemon
 * knows what its predecessor knew, and stores as events only what comes behind `run.outputOffset`.
 * @param onSeen called for each sign of life, before what it says is stored. What an earlier daemon has read already was
 * seen when it read last.
 */
export async function followAgent(
  parts: EngineParts,
  job: Job,
  onSeen: (observation: Observation) => void,
  signal: AbortSignal,
): Promise<TurnEnd> {
  const reader = job.driver.openReader();
  const recorder = new TurnRecorder(parts, job);
  const clean = (text: string) => parts.redact(safeText(text));
  for await (const line of parts.host.readLines(job.agentDirectory, { from: 0, follow: true, signal })) {
    const at = line.end > job.run.outputOffset ? parts.clock.now() : job.run.progressAt;
    for (const event of reader.read(line.text)) {
      if (event.type === "turn_ended" && event.stdin !== null) await sendIfRunning(parts, job, event.stdin);
      await recorder.add(event, line.end > job.run.outputOffset);
      if (line.end > job.run.outputOffset || !isAnswered(job, event)) onSeen(observationOf(event, at, clean));
    }
    await recorder.readTo(line.end);
    onSeen({ kind: "output", at });
  }
  const end = await parts.host.waitForEnd(job.agentDirectory, signal);
  await recorder.flush();
  const turn = await conclude(parts, job, reader, end);
  const reason = turn.verdict.ok ? "completed" : turn.verdict.reason;
  onSeen({ kind: "ended", at: parts.clock.now(), reason, exitCode: end.state === "exited" ? end.exitCode : null });
  return turn;
}

/** Whether it is a question that an earlier daemon heard and a person has answered since. */
function isAnswered(job: Job, event: AgentEvent): boolean {
  return event.type === "question_asked" && !job.run.questions.some(({ id }) => id === event.id);
}

async function conclude(parts: EngineParts, job: Job, reader: OutputReader, end: EndedState): Promise<TurnEnd> {
  const exitCode = end.state === "exited" ? end.exitCode : null;
  const concluded = reader.conclude({ exitCode, stderr: safeText(await parts.host.readErrors(job.agentDirectory, 4096)) });
  const verdict = overruled(parts, job, end) ?? concluded.verdict;
  await record(parts, job, { questions: [] }, [
    { type: "run.agent_ended", data: { exitCode, reason: verdict.ok ? "completed" : verdict.reason } },
  ]);
  return { verdict, report: parts.redact(safeText(concluded.report)) };
}

/** What counts, whatever the agent said. */
function overruled(parts: EngineParts, job: Job, end: EndedState): AgentVerdict | undefined {
  if (end.state === "lost") return { ok: false, ...howLost(parts.database.reader, job.run), retryAt: null };
  if (!end.outOfMemory) return undefined;
  const limits = agentLimits(parts.settings.current(), job.config);
  return { ok: false, reason: "memory", message: memoryMessage(limits), retryAt: null };
}

/** What to say of an agent that is gone without an exit status. */
export function howLost(reader: Reader, run: Pick<Run, "id">): { reason: FailureReason; message: string } {
  if (seatsOfRun(reader, run.id).includes(HOSTED_SEAT))
    return { reason: "host_lost", message: "The agent host ended, and every run in it. This one goes on from its own session." };
  return { reason: "lost", message: "The agent vanished without leaving an exit status." };
}

async function sendIfRunning(parts: EngineParts, job: Job, text: string): Promise<void> {
  try {
    await parts.host.send(job.agentDirectory, text);
  } catch (thrown) {
    // It has ended by itself already, or a predecessor of ours told it to: what we wanted to say is done.
    if (!(thrown instanceof AppError && thrown.code === "conflict")) throw thrown;
  }
}

/** Gathers what an agent says and stores it in batches: one write at a time, as much as has come meanwhile. */
class TurnRecorder {
  readonly #parts: EngineParts;
  readonly #job: Job;
  #questions: readonly Question[];
  #change: RunChange = {};
  #events: NewEvent[] = [];
  #overload: string | undefined;
  #said = 0;
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(parts: EngineParts, job: Job) {
    this.#parts = parts;
    this.#job = job;
    this.#questions = job.run.questions;
  }

  /** Whether the agent waits for a person. Answers are stored by whoever gives them, so the row is asked. */
  get isWaiting(): boolean {
    if (this.#questions.length > 0 && this.#change.questions === undefined)
      this.#questions = getRun(this.#parts.database.reader, this.#job.run.id).questions;
    return this.#questions.length > 0;
  }

  async add(event: AgentEvent, isNew: boolean): Promise<void> {
    if (isNew) this.#apply(event);
    const stored = storedEvent(event, isNew ? (text) => this.#parts.redact(safeText(text)) : () => "");
    // What an earlier daemon stored counts too.
    if (stored && (this.#said += 1) <= SAID_MAX && isNew) this.#events.push(this.#said < SAID_MAX ? stored : LAST_SAID);
    if (this.#events.length >= PENDING_MAX) await this.flush();
  }

  /** Everything up to `offset` has been added. */
  async readTo(offset: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (offset <= this.#job.run.outputOffset) return;
    this.#change = { ...this.#change, outputOffset: offset, progressAt: this.#parts.clock.now() };
    this.#writing ??= this.#writeAll();
  }

  async flush(): Promise<void> {
    await (this.#writing ??= this.#writeAll());
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #writeAll(): Promise<void> {
    try {
      while (this.#events.length > 0 || Object.keys(this.#change).length > 0) {
        const [change, events, overload] = [this.#change, this.#events, this.#overload];
        [this.#change, this.#events, this.#overload] = [{}, [], undefined];
        await record(this.#parts, this.#job, change, events, (tx) => this.#noteOverload(tx, overload));
      }
    } catch (thrown) {
      // Kept for the next add or flush, which the turn's own flow awaits.
      this.#failure = thrown;
    } finally {
      this.#writing = undefined;
    }
  }

  #apply(event: AgentEvent): void {
    switch (event.type) {
      case "session_started":
        this.#change = { ...this.#change, sessionId: event.sessionId };
        break;
      case "usage":
        this.#change = { ...this.#change, usage: priced(event.usage, this.#job.agent.usdPerMillionTokens) };
        break;
      case "question_asked":
        this.#ask({ id: event.id, tool: event.tool, input: event.input, askedAt: this.#parts.clock.now() });
        break;
      case "turn_ended":
        // Whatever was asked no longer matters.
        if (this.isWaiting) this.#setQuestions([]);
        break;
      case "retrying":
        if (event.status !== undefined && OVERLOAD_STATUSES.includes(event.status)) this.#overload = event.message;
        break;
      case "message":
      case "tool_called":
      case "tool_finished":
        break;
    }
  }

  /** The provider refused, saying this: everybody who shares its account is slowed down. */
  #noteOverload(tx: Transaction, message: string | undefined): void {
    if (message !== undefined) learnOfOverload(this.#parts, tx, this.#job.run, this.#parts.redact(safeText(message)));
  }

  #ask(question: Question): void {
    const open = this.isWaiting ? this.#questions : [];
    this.#setQuestions([...open.filter((one) => one.id !== question.id), question]);
  }

  #setQuestions(questions: Question[]): void {
    this.#questions = questions;
    this.#change = { ...this.#change, questions };
  }
}

/** In the place of all that is said from then on. */
const LAST_SAID: NewEvent = {
  type: "run.message",
  data: { text: `[It has said ${SAID_MAX} things. What follows is only in its output: drover agent tail]` },
};

function storedEvent(event: AgentEvent, clean: (text: string) => string): NewEvent | undefined {
  switch (event.type) {
    case "session_started":
      return { type: "run.session_started", data: { sessionId: event.sessionId, model: event.model } };
    case "message":
      return { type: "run.message", data: { text: clean(event.text) } };
    case "tool_called":
      return { type: "run.tool_called", data: { tool: event.tool, input: clean(event.input) } };
    case "tool_finished":
      return { type: "run.tool_finished", data: { tool: event.tool, failed: event.failed } };
    case "question_asked":
      return { type: "run.question_asked", data: { id: event.id, tool: event.tool, input: clean(event.input) } };
    case "retrying":
      return { type: "run.agent_retrying", data: { attempt: event.attempt, message: clean(event.message) } };
    case "usage":
    case "turn_ended":
      return undefined;
  }
}
