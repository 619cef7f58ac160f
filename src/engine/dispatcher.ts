import { AppError, messageOf } from "../base/errors.ts";
import type { Hold } from "../contract/circuit.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { RateUser } from "../domain/rate.ts";
import type { Admission } from "../domain/admission.ts";
import { branchName } from "../domain/branch-name.ts";
import type { Stage } from "../contract/workflow.ts";
import { isSameLane, type Gates, type Lane, type OpenPassage } from "../domain/gates.ts";
import { schedule, type Choice, type ProjectShare, type ScheduleInput } from "../domain/schedule.ts";
import type { Reader, Transaction } from "../store/database.ts";
import { laneOfTask, latestVirtualTime, nextDueAt } from "../store/queue.ts";
import { takeToken } from "../store/rates.ts";
import { enqueueEffect } from "../store/effects.ts";
import { lastSequence } from "../store/events.ts";
import { getProject } from "../store/projects.ts";
import { busyWorkers } from "../store/runs.ts";
import { isPaused } from "../store/settings.ts";
import { countWith, getTask, setBranch } from "../store/tasks.ts";
import { claimTask } from "../store/transitions.ts";
import type { AdmissionGauge } from "./admission.ts";
import type { Budgets } from "./budgets.ts";
import { startEffects } from "./ending.ts";
import { laneAgents, openGates, policyOf, poolsOf, runningMax } from "./governor.ts";
import { findAgent } from "./job.ts";
import { inForceNow, stageOf } from "./workflow-library.ts";
import { beginTrials } from "./lessons.ts";
import type { EngineParts } from "./parts.ts";
import { LEASE_MS, type RunPool } from "./run-pool.ts";
import { ShareCache, type WaitingLane, type WaitingProject } from "./share-cache.ts";

/** A lane that a gate holds up. */
export type HeldLane = WaitingLane & { readonly hold: Hold };

/**
 * Fills free workers with the tasks that the strategy chooses. Wakes after each commit that may matter and when the next waiting task is
 * due; claims happen in one transaction that counts what runs, so the limits hold whoever else claims.
 */
export class Dispatcher {
  readonly #parts: EngineParts;
  readonly #pool: RunPool;
  readonly #budgets: Budgets;
  readonly #gauge: Pick<AdmissionGauge, "admit" | "admitProject">;
  readonly #shares: ShareCache;
  /** When something that holds up tasks now lets go by itself. */
  #lettingGoAt: number | undefined;
  #heldBack: string | null = null;
  #stopped = true;
  #running: Promise<void> | undefined;
  #again = false;
  #cancelDue: () => void = () => {};
  /** Of the newest event when the queue was last looked at; undefined: it must be looked at. */
  #lookedAtSequence: number | undefined;
  #dueAt = Infinity;
  readonly #looks = { changes: 0, times: 0, checks: 0, skipped: 0 };

  constructor(parts: EngineParts, pool: RunPool, budgets: Budgets, gauge: Pick<AdmissionGauge, "admit" | "admitProject">) {
    this.#parts = parts;
    this.#pool = pool;
    this.#budgets = budgets;
    this.#gauge = gauge;
    this.#shares = new ShareCache((reader, projectId) => {
      const project = getProject(reader, projectId);
      const config = parts.settings.forProject(project);
      const runningMax = parts.settings.isKnown(project) ? config.defaults.maxProcesses : 0;
      return {
        runningMax,
        runningMaxOf: (workflow) => (workflow === "tdd" ? config.defaults.tddProcesses : Infinity),
        agentsFor: (lane) => laneAgents(parts, config, stageOfLane(parts, projectId, lane)),
        poolsOf: (lane) => poolsOf(lane, stageOfLane(parts, projectId, lane)),
        hasBudget: config.defaults.budget.dayUsd !== null,
      };
    });
  }

  /** Why work waits that a worker is free for: the machine has no room for it. Null: nothing waits for that. */
  get heldBack(): string | null {
    return this.#heldBack;
  }

  /** How ready tasks were looked for so far, and how often that was not needed. */
  get looks(): Readonly<Record<"changes" | "times" | "checks" | "skipped", number>> {
    return this.#looks;
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

  /**
   * The safety net beside the wakes: looks at the queue if anything may have changed. What it compares is the number of the newest event, so
   * that a check that finds nothing costs the same however many tasks there are.
   */
  check(): void {
    this.#looks.checks += 1;
    const { clock, database, log } = this.#parts;
    const isOld = this.#lookedAtSequence !== lastSequence(database.reader) || clock.now() >= this.#dueAt || this.#heldBack !== null;
    if (!isOld) this.#looks.skipped += 1;
    log.debug("ready tasks checked for", { skipped: !isOld });
    if (isOld) this.#look();
  }

  /** The settings have changed: limits are read anew. */
  reset(): void {
    this.#shares.reset();
    this.wake();
  }

  /** Looks at the queue soon, because something has changed. Many calls in one turn make one look. */
  wake(): void {
    this.#looks.changes += 1;
    this.#look();
  }

  #look(): void {
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
    this.#heldBack = null;
    if (!this.#mayStart(reader)) return 0;
    const shares = this.#shares.refresh(reader, this.#parts.clock.now());
    const gates = this.#openGates(reader);
    const choice = schedule(this.#input(reader, shares, gates));
    this.#lettingGoAt = gates.nextChangeAt();
    if (!choice || !this.#isRoom(this.#gauge.admitProject(reader, choice.projectId))) return 0;
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
        this.#lookedAtSequence = undefined;
        const sequence = lastSequence(this.#parts.database.reader);
        await this.runOnce();
        this.#lookedAtSequence = sequence;
      } while (this.#again && !this.#stopped);
      this.#wakeWhenDue();
    } catch (thrown) {
      // The next check looks again; until then nothing is lost, only later.
      this.#parts.log.error("dispatch failed", { error: messageOf(thrown), stack: (thrown as Error).stack });
    } finally {
      this.#running = undefined;
    }
  }

  // Cheap enough for each commit: a flag, a counter and the open runs.
  #mayStart(reader: Reader): boolean {
    if (this.#stopped || isPaused(reader)) return false;
    if (countWith(reader, "queued") === 0) return false;
    if (countWith(reader, "running") >= runningMax(this.#parts)) return false;
    return this.#isRoom(this.#gauge.admit());
  }

  #isRoom(admission: Admission): boolean {
    if (admission.admitted) return true;
    this.#heldBack = admission.why;
    this.#parts.log.debug("no room for another agent", { why: admission.why });
    return false;
  }

  #claimAll(tx: Transaction, known: ReadonlyMap<ProjectId, WaitingProject>): Run[] {
    const claimed: Run[] = [];
    const shares = new Map(known);
    const busy = new Set(busyWorkers(tx));
    const gates = this.#openGates(tx);
    for (;;) {
      const choice = schedule(this.#input(tx, shares, gates));
      // What is next waits for its room, and nobody goes before it meanwhile: else the ones with little need would keep it out for ever.
      if (!choice || !this.#isRoom(this.#gauge.admitProject(tx, choice.projectId))) return claimed;
      const { lane, passage } = passageOf(choice, shares.get(choice.projectId)?.lanes ?? [], gates);
      const run = this.#claim(tx, choice, lane, passage, freeWorker(busy));
      if (run) {
        gates.begin(passage, run.id);
        claimed.push(run);
        busy.add(run.worker);
      }
      const share = run && this.#shares.load(tx, choice.projectId, this.#parts.clock.now());
      // Not claimed: what is known of that project is out of date. The commit that made it so wakes us again.
      if (share) shares.set(choice.projectId, share);
      else shares.delete(choice.projectId);
    }
  }

  #claim(tx: Transaction, choice: Choice, lane: Lane, passage: OpenPassage, worker: number): Run | undefined {
    const { agent, account, trials, seats, pools, rates } = passage;
    const project = getProject(tx, choice.projectId);
    const { branchPrefix, isolation } = this.#parts.settings.forProject(project).defaults;
    const run = claimTask(tx, {
      taskId: choice.taskId,
      worker,
      agent,
      kind: stageOfLane(this.#parts, project.id, lane).kind,
      driver: driverName(this.#parts, agent),
      isolation,
      account,
      seats: [...seats, ...pools],
      leaseMs: LEASE_MS,
      workflow: inForceNow(this.#parts, project.id, lane.workflow),
      virtualTime: choice.virtualTime,
    });
    if (!run) return undefined;
    beginTrials(tx, trials, run);
    for (const user of rates) this.#takeToken(tx, user);
    const task = getTask(tx, run.taskId);
    if (task.branch === null) setBranch(tx, task.id, branchName(branchPrefix, task.number, task.title));
    for (const payload of startEffects(task, run)) enqueueEffect(tx, { projectId: project.id, taskId: task.id, epoch: run.epoch, payload });
    this.#parts.log.info("task started", { taskId: task.id, key: task.key, runId: run.id, why: choice.reason, worker: run.worker });
    return run;
  }

  /** What the next choice would be made from. */
  input(): ScheduleInput {
    const { reader } = this.#parts.database;
    return this.#input(reader, this.#shares.refresh(reader, this.#parts.clock.now()), this.#openGates(reader));
  }

  /** The same, and the lanes that the gates hold up now, and those whose turn comes: that a lane waits for a seat is both. */
  look(): { input: ScheduleInput; open: WaitingLane[]; held: HeldLane[] } {
    const { reader } = this.#parts.database;
    const shares = this.#shares.refresh(reader, this.#parts.clock.now());
    const gates = this.#openGates(reader);
    const input = this.#input(reader, shares, gates);
    const lanes = [...shares.values()].flatMap((share) => share.lanes.map((lane) => ({ lane, passage: gates.pass(lane) })));
    return {
      input: { ...input, projects: [...shares.values()] },
      open: lanes.flatMap(({ lane, passage }) => ("agent" in passage || passage.hold.reason === "no_seat" ? [lane] : [])),
      held: lanes.flatMap(({ lane, passage }) => ("hold" in passage ? [{ ...lane, hold: passage.hold }] : [])),
    };
  }

  /** Why a queued task does not start, though it is its time; undefined: nothing but its turn holds it up. */
  holdOf(task: Task): Hold | undefined {
    return task.status === "queued" && task.runAfter <= this.#parts.clock.now() ? this.holdIn(this.look().held, task) : undefined;
  }

  /** The same, by what a look found to be held up. */
  holdIn(held: readonly HeldLane[], { id, projectId }: Pick<Task, "id" | "projectId">): Hold | undefined {
    const lane = laneOfTask(this.#parts.database.reader, id);
    return lane && held.find((one) => one.projectId === projectId && isSameLane(one.lane, lane))?.hold;
  }

  #openGates(reader: Reader): Gates {
    return openGates(this.#parts, reader, (projectId) => this.#budgets.hold(reader, projectId));
  }

  #input(reader: Reader, shares: ReadonlyMap<ProjectId, WaitingProject>, gates: Gates): ScheduleInput {
    const { daemon } = this.#parts.settings.current();
    return {
      strategy: daemon.schedulingStrategy,
      now: this.#parts.clock.now(),
      agingMs: daemon.agingMs,
      running: countWith(reader, "running"),
      runningMax: runningMax(this.#parts),
      virtualTime: latestVirtualTime(reader),
      projects: this.#through(shares, gates),
    };
  }

  /** The projects with the tasks that the gates let through. */
  #through(shares: ReadonlyMap<ProjectId, WaitingProject>, gates: Gates): ProjectShare[] {
    const all = [...shares.values()];
    const hasBudget = this.#parts.settings.current().daemon.budget.dayUsd !== null;
    // With a thousand projects this is the cost of a claim, and nearly always nothing is held up.
    if (gates.areOpen && !hasBudget && !all.some((share) => share.mayBeHeld)) return all;
    gates.keepPlaces(all.flatMap((share) => this.#waitingTooLong(share)));
    return all.flatMap((share) => {
      const heads = share.lanes.flatMap((lane) => ("agent" in gates.pass(lane) ? lane.heads : []));
      return heads.length === 0 ? [] : [{ ...share, heads }];
    });
  }

  /** The lanes of a project that could start something, whose oldest task is aged. */
  #waitingTooLong({ lanes, running, runningMax }: WaitingProject): { request: WaitingLane; since: number }[] {
    if (running >= runningMax) return [];
    const agedSince = this.#parts.clock.now() - this.#parts.settings.current().daemon.agingMs;
    return lanes.flatMap((request) => {
      const since = Math.min(...request.heads.map(({ queuedAt }) => queuedAt));
      return since < agedSince ? [{ request, since }] : [];
    });
  }

  #takeToken(tx: Transaction, user: RateUser): void {
    const policy = policyOf(this.#parts.settings.current(), user);
    if (policy) takeToken(tx, user, policy);
  }

  #wakeWhenDue(): void {
    this.#cancelDue();
    this.#dueAt = Infinity;
    const { reader } = this.#parts.database;
    if (countWith(reader, "queued") === 0) return;
    const now = this.#parts.clock.now();
    this.#dueAt = Math.min(nextDueAt(reader, now) ?? Infinity, this.#lettingGoAt ?? Infinity);
    if (this.#dueAt === Infinity) return;
    this.#cancelDue = this.#parts.clock.setTimer(Math.max(1, this.#dueAt - now), () => {
      this.#looks.times += 1;
      this.#look();
    });
  }
}

/** How the chosen task gets through. */
function passageOf(
  { taskId }: Choice,
  lanes: readonly WaitingLane[],
  gates: Gates,
): { readonly lane: Lane; readonly passage: OpenPassage } {
  const waiting = lanes.find(({ heads }) => heads.some((head) => head.taskId === taskId));
  const passage = waiting && gates.pass(waiting);
  if (waiting === undefined || passage === undefined || "hold" in passage)
    throw new AppError("internal", `Task ${taskId} was chosen though it is held up.`);
  return { lane: waiting.lane, passage };
}

/**
 * The stage that a lane's tasks start at: of those that have not begun, the first of the workflow in force. Of a workflow that is gone, one
 * of which only the name is known: its runs fail and say so.
 */
function stageOfLane(
  parts: EngineParts,
  projectId: ProjectId,
  { workflow, workflowId, stage }: Lane,
): Pick<Stage, "name" | "agent" | "model" | "effort" | "kind" | "needs"> {
  try {
    const found = parts.workflows.at(projectId, workflow, workflowId);
    return stageOf(found, workflowId === null ? (found.stages[0]?.name ?? stage) : stage);
  } catch {
    return { name: stage, agent: null, model: null, effort: null, kind: "worker", needs: [] };
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
