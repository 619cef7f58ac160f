import { messageOf } from "../base/errors.ts";
import { repeat, type Repeating } from "../base/repeat.ts";
import type { RunId } from "../contract/ids.ts";
import type { StopMode } from "../contract/routes.ts";
import type { Run, RunState } from "../contract/run.ts";
import type { Observation } from "../domain/run-facts.ts";
import type { ChangedTables } from "../store/database.ts";
import { AdmissionGauge } from "./admission.ts";
import { AgentFinder } from "./agent-finder.ts";
import { Budgets } from "./budgets.ts";
import { Dispatcher } from "./dispatcher.ts";
import { HookIntake } from "./hook-intake.ts";
import { LimitWatch } from "./limit-watch.ts";
import { observationOfHook } from "./observations.ts";
import { Courier } from "./messaging/courier.ts";
import { settleOverdue } from "./overdue.ts";
import type { EngineParts } from "./parts.ts";
import { reconcile, removeOldWorkspaces, type ReconcileParts } from "./reconcile.ts";
import { RunPool } from "./run-pool.ts";
import { RunWatch } from "./run-watch.ts";
import { fileDueSupervision } from "./supervision/due.ts";
import { BaseWatch } from "./merging/base-watch.ts";
import { CommitChecker } from "./merging/commit-checker.ts";
import { Gate } from "./tdd/gate.ts";
import { createVerifier } from "./verification.ts";

/** Old workspaces are looked for on every this many slow ticks. */
const TICKS_A_SWEEP = 20;
/** How often another program's changes of the database are looked for: SQLite tells nobody of them. Each second at the usual tick. */
const FOREIGN_LOOKS_A_TICK = 15;
const FOREIGN_LOOK_LEAST_MS = 250;
/** Ready tasks are checked for so much earlier or later, so that many daemons on one machine do not do it at once. */
const CHECK_JITTER = 0.1;

/** What decides whether a task can start. A run that ends writes to its task. */
const DISPATCHED_BY = ["tasks", "task_dependencies", "projects", "settings", "circuits", "accounts"] as const;

/** The part that chooses, carries and ends runs. */
export class Engine {
  readonly #parts: EngineParts;
  readonly pool: RunPool;
  readonly dispatcher: Dispatcher;
  readonly #limits: LimitWatch;
  readonly #gauge: AdmissionGauge;
  readonly #watch: RunWatch;
  readonly #hooks: HookIntake;
  readonly #budgets: Budgets;
  readonly #checker: CommitChecker;
  readonly #courier: Courier;
  /** Looks after finished branches. */
  readonly baseWatch: BaseWatch;
  #repeating: Repeating[] = [];
  #stopListening: () => void = () => {};
  #ticks = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#budgets = new Budgets(parts);
    this.#courier = new Courier(parts);
    const [verifier, agentFinder] = [createVerifier(parts), new AgentFinder(parts.clock)];
    this.#checker = new CommitChecker(parts, verifier);
    this.baseWatch = new BaseWatch(parts, this.#checker);
    this.#watch = new RunWatch(parts);
    this.#hooks = new HookIntake(parts, (runId, hook) => this.#watch.see(runId, observationOfHook(hook, parts.clock.now())));
    const [watch, hooks] = [this.#watch, this.#hooks];
    const gate = new Gate(parts, verifier);
    this.pool = new RunPool({ ...parts, verifier, gate, agentFinder, watch, hooks, budgets: this.#budgets });
    this.#limits = new LimitWatch(parts, (runId, excess) => this.pool.stop(runId, excess));
    this.#gauge = new AdmissionGauge(
      parts,
      this.#limits,
      () => this.pool.size > 0,
      () => this.dispatcher.wake(),
    );
    this.dispatcher = new Dispatcher(parts, this.pool, this.#budgets, this.#gauge);
  }

  /** What all agents together use now, bytes. */
  get agentsMemoryBytes(): number {
    return this.#gauge.memoryBytes;
  }

  /** The state of a run that is carried here, by what is known now. */
  stateOf(runId: RunId): RunState | undefined {
    return this.#watch.stateOf(runId);
  }

  /** Something of a run was seen that its agent did not tell. */
  see(runId: RunId, observation: Observation): void {
    this.#watch.see(runId, observation);
  }

  /** Takes in a hook that was sent to the API. False: nothing was stored. */
  receiveHook(run: Pick<Run, "id" | "epoch">, payload: unknown): Promise<boolean> {
    return this.#hooks.receive(run, payload);
  }

  /** Takes up what an earlier daemon left, then begins to dispatch. */
  async start(): Promise<void> {
    await reconcile(this.#reconcileParts(), this.pool, { boot: true });
    await this.#limits.apply();
    this.#stopListening = this.#parts.database.onCommit((changed) => this.#onCommit(changed));
    this.#gauge.start();
    this.dispatcher.start();
    this.#courier.start();
    this.baseWatch.start();
    const onError = (thrown: unknown) => this.#parts.log.error("tick failed", { error: messageOf(thrown), stack: (thrown as Error).stack });
    this.#repeating = [
      repeat(
        this.#parts.clock,
        () => this.#parts.settings.current().daemon.tickMs,
        () => this.runOnce(),
        onError,
      ),
      repeat(
        this.#parts.clock,
        () => this.#parts.settings.current().daemon.checkMs * (1 - CHECK_JITTER + 2 * CHECK_JITTER * this.#parts.random()),
        () => this.#check(),
        onError,
      ),
      repeat(
        this.#parts.clock,
        () => Math.max(FOREIGN_LOOK_LEAST_MS, this.#parts.settings.current().daemon.tickMs / FOREIGN_LOOKS_A_TICK),
        () => this.#obeyForeign(),
        onError,
      ),
    ];
  }

  /** The settings have changed: the limits in force hold for what runs too. */
  obeySettings(): void {
    void this.#limits.apply();
    this.dispatcher.reset();
  }

  /**
   * Claims nothing more and lets go of what runs: `stop` leaves the agents to the next daemon, `drain` waits for them,
   * `kill` saves their work and ends them. Safe to call again with a harder mode.
   */
  async stop(mode: StopMode): Promise<void> {
    await Promise.all(this.#repeating.map((one) => one.stop()));
    await this.dispatcher.stop();
    await this.#courier.stop();
    // Its checks may wait for those of a run, so nobody waits for it before the runs are stopped.
    const watchStopped = this.baseWatch.stop();
    if (mode !== "drain") this.pool.stopAll({ kind: mode === "kill" ? "kill" : "leave" });
    await this.pool.drained();
    if (mode === "kill") await this.pool.endLeft();
    await watchStopped;
    await this.#gauge.stop();
    this.#stopListening();
  }

  /** The slow tick: repairs what an event missed. */
  async runOnce(): Promise<void> {
    await reconcile(this.#reconcileParts(), this.pool, { boot: false });
    await fileDueSupervision(this.#parts);
    if (this.#ticks++ % TICKS_A_SWEEP === 0) {
      await removeOldWorkspaces(this.#parts);
      await this.#hooks.forgetOld();
      await this.#courier.forgetOld();
    }
  }

  async #check(): Promise<void> {
    this.dispatcher.check();
    await settleOverdue(this.#parts, this.dispatcher);
  }

  #reconcileParts(): ReconcileParts {
    return { ...this.#parts, hooks: this.#hooks, isCheck: (marker) => this.#checker.isAtWork(marker) };
  }

  #obeyForeign(): void {
    if (this.#parts.database.noticeForeign()) this.pool.obeyStopRequests();
  }

  #onCommit(changed: ChangedTables): void {
    if (changed.has("tasks")) this.pool.obeyCancelRequests();
    if (changed.has("spending")) this.#budgets.check();
    this.#courier.onCommit(changed);
    // Which agents and pools a stage needs is its workflow's to say.
    if (changed.has("workflows_in_force")) this.dispatcher.reset();
    if (DISPATCHED_BY.some((table) => changed.has(table))) this.dispatcher.wake();
  }
}
