import { AppError, messageOf } from "../base/errors.ts";
import type { CancelTimer } from "../base/clock.ts";
import type { RunState } from "../contract/run.ts";
import { lastSignAt, newFacts, observe, type Observation, type RunFacts } from "../domain/run-facts.ts";
import { deriveState, nextLookAt, remedyFor, type StateLimits } from "../domain/run-state.ts";
import { record, type Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import { RunStopped } from "./run-stop.ts";

/**
 * Keeps what is known of one open run, and concludes its state whenever that may have changed: by what it sees, or by time
 * passing without anything to see. A change of state is stored with its evidence. A stuck agent is told to go on, once, and
 * then stopped; so is a run at its time limit.
 */
export class RunObserver implements Disposable {
  readonly #parts: EngineParts;
  readonly #job: Job;
  readonly #limits: StateLimits;
  readonly #stop: (reason: RunStopped) => void;
  readonly #cancelEnd: CancelTimer;
  #cancelLook: CancelTimer | undefined;
  #facts: RunFacts;
  #workspace: string | undefined;
  #nextWalkAt = 0;
  #state: RunState | null;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: EngineParts, job: Job, stop: (reason: RunStopped) => void) {
    const { clock } = parts;
    const { timeout, repeatedActions, runTimeoutMs } = job.config.defaults;
    this.#parts = parts;
    this.#job = job;
    this.#stop = stop;
    this.#limits = { silenceMs: timeout, repeatMax: repeatedActions };
    this.#facts = observe(newFacts(clock.now()), { kind: "own_work", at: clock.now(), what: "what comes before the agent" });
    this.#state = job.run.state;
    const runMs = Math.max(0, job.run.startedAt + runTimeoutMs - clock.now());
    const endLate = () => this.#end("timed_out", `It ran longer than its limit allows (${runTimeoutMs} ms).`);
    const isPersons = job.driver.isPerson === true || job.agent.interactive;
    this.#cancelEnd = isPersons ? () => {} : clock.setTimer(runMs, endLate);
    this.#conclude();
  }

  /** By what is known now. */
  get state(): RunState {
    return deriveState(this.#facts, this.#limits, this.#parts.clock.now(), this.#state);
  }

  /** How often it must be looked at so that work that shows only to who looks is seen in time. */
  get lookEveryMs(): number {
    return this.#limits.silenceMs / 8;
  }

  /** Where the agent works; until then there are no files to look at. */
  workIn(directory: string): void {
    this.#workspace = directory;
  }

  /** A walk through the workspace, when nothing else has shown for so long that it is worth its cost. */
  async lookAtFiles(): Promise<void> {
    const { clock, traces } = this.#parts;
    const now = clock.now();
    const { ownWork, ended } = this.#facts;
    const isQuiet = ownWork === null && ended === null && now - lastSignAt(this.#facts) >= this.#limits.silenceMs / 4;
    if (this.#workspace === undefined || !isQuiet || now < this.#nextWalkAt) return;
    this.#nextWalkAt = now + this.lookEveryMs;
    const changedAt = await traces.newestChange(this.#workspace, new AbortController().signal);
    if (changedAt !== null) this.see({ kind: "files", at: now, changedAt: Math.min(changedAt, now) });
  }

  /** What comes before the agent is ours and has its own limits; from now on the agent's silence counts. */
  agentBegan(): void {
    this.see({ kind: "own_work", at: this.#parts.clock.now(), what: null });
  }

  see(observation: Observation): void {
    this.#facts = observe(this.#facts, observation);
    // A flood of output makes no working run anything else.
    if (observation.kind === "output" && this.#state?.state === "running") return;
    this.#conclude();
  }

  /** Resolves once every change of state so far is stored. */
  stored(): Promise<void> {
    return this.#writing;
  }

  [Symbol.dispose](): void {
    this.#cancelEnd();
    this.#cancelLook?.();
  }

  #conclude(): void {
    const before = this.#state;
    const state = this.state;
    this.#state = before?.state === state.state ? { ...state, since: before.since } : state;
    if (before?.state !== state.state) this.#store(before, state);
    this.#remedy(state);
    this.#lookLater();
  }

  #remedy(state: RunState): void {
    const remedy = remedyFor(state, this.#facts, this.#limits, this.#parts.clock.now());
    if (remedy.do === "stop") this.#end("stalled", `It was stuck: ${remedy.why}.`);
    if (remedy.do === "nudge") this.#nudge(remedy.why);
  }

  /** One timer for a whole stretch of silence, not one a sign of life: at its end the facts are asked anew. */
  #lookLater(): void {
    const { clock } = this.#parts;
    if (this.#cancelLook !== undefined) return;
    const now = clock.now();
    const at = nextLookAt(this.#facts, this.#limits, now);
    if (at === undefined) return;
    this.#cancelLook = clock.setTimer(at - now, () => {
      this.#cancelLook = undefined;
      this.#conclude();
    });
  }

  #nudge(why: string): void {
    const { clock, host } = this.#parts;
    this.#facts = observe(this.#facts, { kind: "nudged", at: clock.now() });
    const message = `Drover can't tell whether you still work: ${why}. Go on if you can; if you can't, end now and say what stops you.`;
    const text = this.#job.driver.say?.(message) ?? null;
    if (text === null) return;
    this.#inTurn(async () => {
      await host.send(this.#job.agentDirectory, text);
      await record(this.#parts, this.#job, {}, [{ type: "run.nudged", data: { message } }]);
    });
  }

  #store(before: RunState | null, state: RunState): void {
    const { confidence, evidence } = state;
    const data = { from: before?.state ?? null, to: state.state, confidence, evidence };
    // That a run begins by running is told by its start already.
    const isTold = before === null && state.state === "running";
    this.#inTurn(() => record(this.#parts, this.#job, { state }, isTold ? [] : [{ type: "run.state_changed", data }]));
  }

  #inTurn(work: () => Promise<void>): void {
    this.#writing = this.#writing.then(work).catch((thrown: unknown) => {
      // A run that was taken over, or ended meanwhile, has another to speak for it; the runner hears of that by its own writes.
      if (!(thrown instanceof AppError && thrown.code === "conflict")) this.#job.log.warn("state not stored", { error: messageOf(thrown) });
    });
  }

  #end(reason: "timed_out" | "stalled", message: string): void {
    this.#stop(new RunStopped({ kind: "limit", reason, message }));
  }
}
