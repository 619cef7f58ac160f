import { messageOf } from "../base/errors.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import { branchName } from "../domain/branch-name.ts";
import { schedule, type Choice, type ProjectShare, type ScheduleInput } from "../domain/schedule.ts";
import type { Reader, Transaction } from "../store/database.ts";
import { latestVirtualTime, nextDueAt } from "../store/queue.ts";
import { enqueueEffect } from "../store/effects.ts";
import { getProject } from "../store/projects.ts";
import { busyWorkers } from "../store/runs.ts";
import { isPaused } from "../store/settings.ts";
import { countWith, getTask, setBranch } from "../store/tasks.ts";
import { claimTask } from "../store/transitions.ts";
import { startEffects } from "./ending.ts";
import { findAgent } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import { LEASE_MS, type RunPool } from "./run-pool.ts";
import { ShareCache } from "./share-cache.ts";

/** Whether the machine has room for another agent; `why` is for people. */
export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly why: string };

/**
 * Fills free workers with the tasks that the strategy chooses. Wakes after each commit that may matter and when the next waiting task is
 * due; claims happen in one transaction that counts what runs, so the limits hold whoever else claims.
 */
export class Dispatcher {
  readonly #parts: EngineParts;
  readonly #pool: RunPool;
  readonly #admit: () => Admission;
  readonly #shares: ShareCache;
  #stopped = true;
  #running: Promise<void> | undefined;
  #again = false;
  #cancelDue: () => void = () => {};

  constructor(parts: EngineParts, pool: RunPool, admit: () => Admission) {
    this.#parts = parts;
    this.#pool = pool;
    this.#admit = admit;
    this.#shares = new ShareCache((reader, projectId) => {
      const project = getProject(reader, projectId);
      return parts.settings.isKnown(project) ? parts.settings.forProject(project).defaults.maxProcesses : 0;
    });
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** After this nothing is claimed any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelDue();
    await this.#running;
  }

  /** The settings have changed: limits are read anew. */
  reset(): void {
    this.#shares.reset();
    this.wake();
  }

  /** Looks at the queue soon. Many calls in one turn make one look. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#loop();
  }

  /** Starts as many tasks as may start now and returns how many. */
  async runOnce(): Promise<number> {
    const { reader } = this.#parts.database;
    if (!this.#mayStart(reader)) return 0;
    const shares = this.#shares.refresh(reader, this.#parts.clock.now());
    if (!schedule(this.#input(reader, shares))) return 0;
    return this.#parts.database.write((tx) => {
      const runs = this.#claimAll(tx, shares);
      // In the very turn of the commit, so that no reconcile can find them claimed and carried by nobody.
      tx.afterCommit(() => runs.forEach((run) => this.#pool.begin(run, false)));
      return runs.length;
    });
  }

  async #loop(): Promise<void> {
    try {
      do {
        this.#again = false;
        await this.runOnce();
      } while (this.#again && !this.#stopped);
      this.#wakeWhenDue();
    } catch (thrown) {
      // The slow tick looks again; until then nothing is lost, only later.
      this.#parts.log.error("dispatch failed", { error: messageOf(thrown), stack: (thrown as Error).stack });
    } finally {
      this.#running = undefined;
    }
  }

  // Cheap enough for each commit: a flag, a counter and the open runs.
  #mayStart(reader: Reader): boolean {
    if (this.#stopped || isPaused(reader)) return false;
    if (countWith(reader, "queued") === 0) return false;
    if (countWith(reader, "running") >= this.#parts.settings.current().daemon.maxProcesses) return false;
    const admission = this.#admit();
    if (!admission.admitted) this.#parts.log.debug("no room for another agent", { why: admission.why });
    return admission.admitted;
  }

  #claimAll(tx: Transaction, known: ReadonlyMap<ProjectId, ProjectShare>): Run[] {
    const claimed: Run[] = [];
    const shares = new Map(known);
    const busy = new Set(busyWorkers(tx));
    for (;;) {
      const choice = schedule(this.#input(tx, shares));
      if (!choice) return claimed;
      const run = this.#claim(tx, choice, freeWorker(busy));
      if (run) {
        claimed.push(run);
        busy.add(run.worker);
      }
      const share = run && this.#shares.load(tx, choice.projectId, this.#parts.clock.now());
      // Not claimed: what is known of that project is out of date. The commit that made it so wakes us again.
      if (share) shares.set(choice.projectId, share);
      else shares.delete(choice.projectId);
    }
  }

  #claim(tx: Transaction, choice: Choice, worker: number): Run | undefined {
    const project = getProject(tx, choice.projectId);
    const { agent, branchPrefix, isolation } = this.#parts.settings.forProject(project).defaults;
    const run = claimTask(tx, {
      taskId: choice.taskId,
      worker,
      agent,
      driver: driverName(this.#parts, agent),
      isolation,
      leaseMs: LEASE_MS,
      virtualTime: choice.virtualTime,
    });
    if (!run) return undefined;
    const task = getTask(tx, run.taskId);
    if (task.branch === null) setBranch(tx, task.id, branchName(branchPrefix, task.number, task.title));
    for (const payload of startEffects(task, run)) enqueueEffect(tx, { projectId: project.id, taskId: task.id, epoch: run.epoch, payload });
    this.#parts.log.info("task started", { taskId: task.id, key: task.key, runId: run.id, why: choice.reason, worker: run.worker });
    return run;
  }

  /** What the next choice would be made from. */
  input(): ScheduleInput {
    const { reader } = this.#parts.database;
    return this.#input(reader, this.#shares.refresh(reader, this.#parts.clock.now()));
  }

  #input(reader: Reader, shares: ReadonlyMap<ProjectId, ProjectShare>): ScheduleInput {
    const { daemon } = this.#parts.settings.current();
    return {
      strategy: daemon.schedulingStrategy,
      now: this.#parts.clock.now(),
      agingMs: daemon.agingMs,
      running: countWith(reader, "running"),
      runningMax: daemon.maxProcesses,
      virtualTime: latestVirtualTime(reader),
      projects: [...shares.values()],
    };
  }

  #wakeWhenDue(): void {
    this.#cancelDue();
    const { reader } = this.#parts.database;
    if (countWith(reader, "queued") === 0) return;
    const now = this.#parts.clock.now();
    const dueAt = nextDueAt(reader, now);
    if (dueAt !== undefined) this.#cancelDue = this.#parts.clock.setTimer(Math.max(1, dueAt - now), () => this.wake());
  }
}

/** The lowest number that no busy worker has. */
function freeWorker(busy: ReadonlySet<number>): number {
  let worker = 1;
  while (busy.has(worker)) worker += 1;
  return worker;
}

function driverName(parts: EngineParts, agent: string): string {
  try {
    return findAgent(parts, agent).agent.driver;
  } catch {
    // The run is opened all the same and fails with this very reason, where its task shows it.
    return "unknown";
  }
}
