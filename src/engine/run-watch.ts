import { messageOf } from "../base/errors.ts";
import { repeat, type Repeating } from "../base/repeat.ts";
import type { RunId } from "../contract/ids.ts";
import type { RunState } from "../contract/run.ts";
import type { Observation } from "../domain/run-facts.ts";
import type { Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import { RunObserver } from "./run-observer.ts";
import type { RunStopped } from "./run-stop.ts";

/** How often the processes of all runs are looked at, all at once, at most and at least. */
const LOOK_EVERY_MS = { most: 500, least: 10_000 };

/** The observers of the runs that this daemon carries, and the slow look at what nobody tells: processor time, processes, files. */
export class RunWatch {
  readonly #parts: EngineParts;
  readonly #observers = new Map<RunId, RunObserver>();
  #repeating: Repeating | undefined;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** Observes a run until it is closed. */
  open(job: Job, stop: (reason: RunStopped) => void): RunObserver {
    const observer = new RunObserver(this.#parts, job, stop);
    this.#observers.set(job.run.id, observer);
    this.#repeating ??= this.#lookAgainAndAgain();
    return observer;
  }

  /** Resolves once the last state of the run is stored. */
  async close(runId: RunId): Promise<void> {
    const observer = this.#observers.get(runId);
    observer?.[Symbol.dispose]();
    this.#observers.delete(runId);
    if (this.#observers.size === 0) {
      void this.#repeating?.stop();
      this.#repeating = undefined;
    }
    await observer?.stored();
  }

  /** The state of a run that is carried here, by what is known now. */
  stateOf(runId: RunId): RunState | undefined {
    return this.#observers.get(runId)?.state;
  }

  see(runId: RunId, observation: Observation): void {
    this.#observers.get(runId)?.see(observation);
  }

  /** One look at the process table for all runs, and at the files of those that are quiet. */
  async runOnce(): Promise<void> {
    const { clock, host } = this.#parts;
    const found = await host.survey();
    for (const [runId, observer] of this.#observers) {
      const seen = found.get(runId);
      if (seen) observer.see({ kind: "look", at: clock.now(), ...seen });
      await observer.lookAtFiles();
    }
  }

  #lookAgainAndAgain(): Repeating {
    const { clock, log } = this.#parts;
    return repeat(
      clock,
      () => this.#everyMs(),
      () => this.runOnce(),
      (thrown) => log.warn("runs not looked at", { error: messageOf(thrown) }),
    );
  }

  /** Several times before the most impatient of the runs would count as stuck. */
  #everyMs(): number {
    const wanted = Math.min(...[...this.#observers.values()].map(({ lookEveryMs }) => lookEveryMs));
    return Math.min(LOOK_EVERY_MS.least, Math.max(LOOK_EVERY_MS.most, wanted));
  }
}
