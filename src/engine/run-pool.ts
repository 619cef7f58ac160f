import { messageOf } from "../base/errors.ts";
import { repeat, type Repeating } from "../base/repeat.ts";
import type { WorkerHeartbeat } from "../contract/event.ts";
import type { RunId, TaskId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import { openRuns } from "../store/runs.ts";
import { hasCancelRequests, renewLeases, stopRequests } from "../store/transitions.ts";
import { carryRun, type RunnerParts } from "./runner.ts";
import { RunStopped, type StopReason } from "./run-stop.ts";

/** How long a claim holds without a heartbeat, and how often it beats, milliseconds. */
export const LEASE_MS = 30_000;
const HEARTBEAT_MS = 10_000;

interface ActiveRun {
  readonly run: Run;
  readonly control: AbortController;
  readonly done: Promise<void>;
}

/** The runs that this daemon carries now. */
export class RunPool {
  readonly #parts: RunnerParts;
  readonly #active = new Map<RunId, ActiveRun>();
  #heartbeat: Repeating | undefined;
  #onHeartbeat: (beats: readonly WorkerHeartbeat[]) => void = () => {};

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#active.size;
  }

  has(runId: RunId): boolean {
    return this.#active.has(runId);
  }

  /** Tells of each heartbeat once it is stored: a sign of life of every worker that carries a run. */
  listen(onHeartbeat: (beats: readonly WorkerHeartbeat[]) => void): void {
    this.#onHeartbeat = onHeartbeat;
  }

  /** Carries a claimed run, or one of an earlier daemon (`adopted`), to its end. */
  begin(run: Run, adopted: boolean): void {
    const control = new AbortController();
    const done = this.#carry(run, adopted, control);
    this.#active.set(run.id, { run, control, done });
    this.#heartbeat ??= this.#beat();
  }

  /** Stops a run with its work saved. Does nothing when it is not carried here. */
  stop(runId: RunId, reason: StopReason): void {
    this.#active.get(runId)?.control.abort(new RunStopped(reason));
  }

  /** Stops the runs whose cancellation was asked for. Cheap enough for each commit. */
  obeyCancelRequests(): void {
    if (this.#active.size > 0 && hasCancelRequests(this.#parts.database.reader)) this.obeyStopRequests();
  }

  /** The same, and stops the runs whose tasks another program took out of their hands. */
  obeyStopRequests(): void {
    if (this.#active.size === 0) return;
    for (const { runId, by, message } of stopRequests(this.#parts.database.reader)) this.stop(runId, { kind: "cancel", by, message });
  }

  /** Resolves when no run is carried any more. */
  async drained(): Promise<void> {
    while (this.#active.size > 0) await Promise.all([...this.#active.values()].map((one) => one.done));
  }

  stopAll(reason: StopReason): void {
    for (const runId of this.#active.keys()) this.stop(runId, reason);
  }

  /** Takes up the runs that an earlier, softer stop let go of, to end them after all. */
  async endLeft(): Promise<void> {
    for (const run of openRuns(this.#parts.database.reader)) {
      if (!this.has(run.id)) this.begin(run, true);
      this.stop(run.id, { kind: "kill" });
    }
    await this.drained();
  }

  /** The tasks that are being worked on. */
  tasks(): Set<TaskId> {
    return new Set([...this.#active.values()].map((one) => one.run.taskId));
  }

  async #carry(run: Run, adopted: boolean, control: AbortController): Promise<void> {
    try {
      await carryRun(this.#parts, run, adopted, control);
    } catch (thrown) {
      // The run stays open in the database; the next reconcile finds it carried by nobody and takes it up again.
      this.#parts.log.error("run let go", { runId: run.id, taskId: run.taskId, error: messageOf(thrown), stack: (thrown as Error).stack });
    } finally {
      this.#active.delete(run.id);
      if (this.#active.size === 0) this.#stopHeartbeat();
    }
  }

  #beat(): Repeating {
    const { clock, database, log } = this.#parts;
    const renew = async () => {
      await database.write((tx) => renewLeases(tx, [...this.#active.keys()], clock.now() + LEASE_MS));
      this.#onHeartbeat([...this.#active.values()].map(({ run }) => this.#heartbeatOf(run)));
    };
    return repeat(
      clock,
      () => HEARTBEAT_MS,
      renew,
      (thrown) => log.warn("heartbeat not written", { error: messageOf(thrown) }),
    );
  }

  #heartbeatOf({ id, taskId, projectId, worker }: Run): WorkerHeartbeat {
    const state = this.#parts.watch.stateOf(id)?.state ?? null;
    return { type: "worker.heartbeat", at: this.#parts.clock.now(), projectId, taskId, runId: id, data: { worker, state } };
  }

  #stopHeartbeat(): void {
    void this.#heartbeat?.stop();
    this.#heartbeat = undefined;
  }
}
