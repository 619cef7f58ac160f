import type { Event } from "../../src/contract/event.ts";
import type { FailureReason } from "../../src/contract/run.ts";
import type { Reader } from "../../src/store/database.ts";
import { eventsAfter } from "../../src/store/events.ts";
import { DB_PLACES, FAILURES_MAX, issuesMax, START_RATE } from "./drover.ts";
import type { World } from "./world.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** The shortest pause after an overload, and the shortest wait for a usage limit whose end nobody named. */
const PAUSE_MIN_MS = 10 * SECOND;
const LIMIT_MIN_MS = 7.5 * MINUTE;

interface RunOf {
  readonly agent: string;
  readonly account: string;
  readonly stage: string;
  readonly workflow: string;
  readonly project: string;
}

/** A circuit by what the events told of it. */
interface Circuit {
  state: "closed" | "open" | "half_open";
  openUntil: number;
  /** The covered run that a half-open one let start, while that goes on. */
  trial: string | null;
}

const WORKER_FAILURES: readonly FailureReason[] = ["agent_error", "stalled", "timed_out", "lost"];

/**
 * Follows the stored events, across the lives of daemons, and checks each start against what had been told by then: what the
 * providers said to runs, and which circuits were open.
 */
export class StartWatch {
  readonly #world: World;
  #sequence = 0;
  readonly #heldUntil = new Map<string, number>();
  readonly #pausedUntil = new Map<string, number>();
  /** How many of an account might run when it was last slowed down. */
  readonly #caps = new Map<string, { readonly cap: number; readonly at: number }>();
  readonly #running = new Map<string, number>();
  /** Open runs of each workflow, and the latest starts of each project. */
  readonly #ofWorkflow = new Map<string, number>();
  readonly #startsOf = new Map<string, number[]>();
  readonly #latestBy = new Map<string, string>();
  readonly #circuits = new Map<string, Circuit>();
  readonly #failures = new Map<string, number>();
  readonly counts = { limits: 0, overloads: 0, openings: 0, handedOver: 0, adoptions: 0 };

  constructor(world: World) {
    this.#world = world;
  }

  check(reader: Reader): void {
    for (;;) {
      const events = eventsAfter(reader, this.#sequence, { limit: 500 });
      for (const event of events) {
        this.#sequence = event.sequence;
        this.#see(reader, event);
      }
      if (events.length < 500) return;
    }
  }

  #see(reader: Reader, event: Event): void {
    switch (event.type) {
      case "run.started":
        return this.#start(event.at, event.runId ?? "", event.data.handedOverFrom ?? null, runOf(reader, event.runId));
      case "run.adopted":
        this.counts.adoptions += 1;
        return;
      case "run.agent_retrying":
        return this.#overload(runOf(reader, event.runId).account, event.at);
      case "account.changed":
        this.#slow(event.at, event.data);
        return this.#hold(event.data.account, Math.max(event.data.limitedUntil ?? 0, event.data.pausedUntil ?? 0));
      case "run.ended":
        return this.#end(event.at, event.runId ?? "", event.data.outcome, runOf(reader, event.runId));
      case "circuit.changed": {
        const { circuit, from, to, openUntil } = event.data;
        if ((this.#circuits.get(circuit)?.state ?? "closed") !== from) this.#world.fail(`circuit ${circuit} was not ${from}`);
        // The run that makes it half open is told of before.
        const trial = to === "half_open" ? (this.#latestBy.get(circuit) ?? null) : null;
        this.#circuits.set(circuit, { state: to, openUntil: openUntil ?? 0, trial });
        if (to === "open") this.counts.openings += 1;
        this.#failures.delete(circuit);
        return;
      }
      default:
        return;
    }
  }

  #start(at: number, runId: string, handedOverFrom: string | null, run: RunOf): void {
    if (handedOverFrom !== null) this.counts.handedOver += 1;
    const heldUntil = this.#heldUntil.get(run.account) ?? 0;
    if (at < heldUntil) this.#world.fail(`a run of account ${run.account} started ${heldUntil - at} ms before its provider serves again`);
    const running = (this.#running.get(run.account) ?? 0) + 1;
    this.#running.set(run.account, running);
    const slowed = this.#caps.get(run.account);
    const max = slowed ? slowed.cap + Math.ceil(Math.max(0, at - slowed.at) / MINUTE) : Infinity;
    if (running > max) this.#world.fail(`${running} runs of account ${run.account} are open, ${max} are allowed`);
    this.#place(run);
    this.#pace(run, at);
    for (const id of circuitsOf(run)) {
      this.#latestBy.set(id, runId);
      const circuit = this.#circuits.get(id);
      if (circuit?.state === "open" && at < circuit.openUntil) this.#world.fail(`a run started though circuit ${id} is open`);
      if (circuit?.state !== "half_open") continue;
      if (circuit.trial !== null) this.#world.fail(`a second run started though circuit ${id} is half open`);
      circuit.trial = runId;
    }
  }

  #place({ workflow }: RunOf): void {
    const open = (this.#ofWorkflow.get(workflow) ?? 0) + 1;
    this.#ofWorkflow.set(workflow, open);
    const max = workflow === "issue-db" ? DB_PLACES : issuesMax(this.#world);
    if (open > max) this.#world.fail(`${open} runs of workflow ${workflow} are open, there are places for ${max}`);
  }

  #pace({ project }: RunOf, at: number): void {
    const known = this.#startsOf.get(project) ?? [];
    // A clock that was set back begins a time of its own.
    const starts = at < (known.at(-1) ?? 0) ? [at] : [...known.filter((start) => start > at - MINUTE), at];
    this.#startsOf.set(project, starts);
    const max = START_RATE.calls + START_RATE.burst;
    if (starts.length > max) this.#world.fail(`${starts.length} runs of a project started within a minute, ${max} are allowed`);
  }

  #end(at: number, runId: string, outcome: Extract<Event, { type: "run.ended" }>["data"]["outcome"], run: RunOf): void {
    this.#running.set(run.account, (this.#running.get(run.account) ?? 0) - 1);
    this.#ofWorkflow.set(run.workflow, (this.#ofWorkflow.get(run.workflow) ?? 0) - 1);
    for (const id of circuitsOf(run)) {
      const circuit = this.#circuits.get(id);
      if (circuit?.trial === runId) circuit.trial = null;
    }
    if (outcome.status === "failed" && outcome.reason === "usage_limit") {
      this.counts.limits += 1;
      // A limit that is told while another holds is that one.
      if ((this.#heldUntil.get(run.account) ?? 0) <= at || outcome.retryAt !== null)
        this.#hold(run.account, outcome.retryAt !== null && outcome.retryAt > at ? outcome.retryAt : at + LIMIT_MIN_MS);
    }
    if (outcome.status === "failed" && outcome.reason === "overloaded") {
      this.counts.overloads += 1;
      this.#overload(run.account, at);
    }
    this.#count(`worker:${run.agent}`, outcome);
  }

  #count(circuit: string, outcome: Extract<Event, { type: "run.ended" }>["data"]["outcome"]): void {
    if (outcome.status === "failed" && WORKER_FAILURES.includes(outcome.reason)) {
      const failures = (this.#failures.get(circuit) ?? 0) + 1;
      this.#failures.set(circuit, failures);
      // The event of the opening comes before that of the end which led to it.
      const isClosed = (this.#circuits.get(circuit)?.state ?? "closed") === "closed";
      if (isClosed && failures > FAILURES_MAX) this.#world.fail(`circuit ${circuit} is closed after ${failures} failures in a row`);
    } else if (
      outcome.status === "succeeded" ||
      outcome.status === "no_change" ||
      (outcome.status === "failed" && outcome.reason === "check_failed")
    ) {
      this.#failures.delete(circuit);
    }
  }

  /** What is told during a pause is the overload that led to it. */
  #overload(account: string, at: number): void {
    if ((this.#pausedUntil.get(account) ?? 0) <= at) this.#hold(account, at + PAUSE_MIN_MS);
  }

  #slow(at: number, { account, runningMax, pausedUntil }: Extract<Event, { type: "account.changed" }>["data"]): void {
    const isPausedAnew = (this.#pausedUntil.get(account) ?? 0) !== (pausedUntil ?? 0);
    this.#pausedUntil.set(account, pausedUntil ?? 0);
    // What may run grows with the time since; a usage limit alone leaves that as it is.
    if (runningMax !== null && (isPausedAnew || this.#caps.get(account)?.cap !== runningMax)) {
      this.#caps.set(account, { cap: runningMax, at });
    }
  }

  #hold(account: string, until: number): void {
    this.#heldUntil.set(account, Math.max(this.#heldUntil.get(account) ?? 0, until));
  }
}

function circuitsOf({ agent, stage }: RunOf): string[] {
  return ["system", `worker:${agent}`, `stage:${stage}`];
}

function runOf(reader: Reader, runId: string | null): RunOf {
  const row = reader.get<RunOf>(
    "SELECT agent, account, workflow, runs.project_id AS project, workflow || '.' || runs.stage AS stage FROM runs JOIN tasks ON tasks.id = task_id WHERE runs.id = :runId",
    { runId },
  );
  if (!row) throw new Error(`There is no run ${runId}.`);
  return row;
}
