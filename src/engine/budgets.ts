import type { Hold } from "../contract/circuit.ts";
import type { ProjectId } from "../contract/ids.ts";
import { countedTokens, fits, micros } from "../domain/budget.ts";
import { dayOf, minuteOf } from "../domain/day.ts";
import type { Reader } from "../store/database.ts";
import { getProject } from "../store/projects.ts";
import { expectedCost, spending, spentOn } from "../store/spending.ts";
import { getTask } from "../store/tasks.ts";
import type { Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import { RunStopped } from "./run-stop.ts";

/** The watch over what one run costs. Once its agent is done, stopping it would save nothing. */
export interface BudgetWatch extends Disposable {
  agentDone(): void;
}

interface Watched {
  readonly job: Job;
  readonly stop: (reason: RunStopped) => void;
}

/** What a run has used up: the budget of its task, for good, or that of a day. */
interface Overspent {
  readonly message: string;
  /** When there is a new budget; null: when a person gives one. */
  readonly retryAt: number | null;
}

/**
 * Holds the work to its budgets. What agents say they used is looked at with each commit of it, and every run whose budget it
 * used up is stopped then, whichever of them told of it.
 */
export class Budgets {
  readonly #parts: EngineParts;
  readonly #watched = new Set<Watched>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /**
   * Stops the run once a budget of its is used up: at once, if that is so before its agent was started. One that is adopted
   * may have an agent that is done.
   */
  watch(job: Job, adopted: boolean, stop: (reason: RunStopped) => void): BudgetWatch {
    const watched = { job, stop };
    this.#watched.add(watched);
    if (!adopted) this.#checkOne(watched);
    const end = () => void this.#watched.delete(watched);
    return { agentDone: end, [Symbol.dispose]: end };
  }

  /** Looks at every run again: some usage was noted. */
  check(): void {
    for (const watched of this.#watched) this.#checkOne(watched);
  }

  /** Why the money does not allow another run of the project now; undefined: it does. */
  hold(reader: Reader, projectId: ProjectId): Hold | undefined {
    const { dayUsd } = this.#parts.settings.current().daemon.budget;
    return (
      this.#dayHold(reader, "The day's budget of all projects", dayUsd, projectId, undefined) ??
      this.#dayHold(reader, "The project's budget of the day", this.#budgetOf(reader, projectId).dayUsd, projectId, projectId)
    );
  }

  #dayHold(reader: Reader, what: string, usd: number | null, projectId: ProjectId, scope: ProjectId | undefined): Hold | undefined {
    if (usd === null) return undefined;
    const day = dayOf(this.#parts.clock.now());
    const expected = (id: ProjectId) => this.#expected(reader, id);
    const spent = spending(reader, day, scope, expected);
    if (fits(spent, expected(projectId), micros(usd))) return undefined;
    if (spent.spent >= micros(usd)) {
      return { reason: "budget", message: `${what} ($${usd}) is used up until ${minuteOf(day.endsAt)}.`, until: day.endsAt };
    }
    return { reason: "budget", message: `${what} ($${usd}) may not last for one more run beside those that are at work.`, until: null };
  }

  /** What a run may cost, in millionths of a dollar. */
  #expected(reader: Reader, projectId: ProjectId): number {
    const { taskUsd } = this.#budgetOf(reader, projectId);
    return Math.min(expectedCost(reader, projectId), taskUsd === null ? Infinity : micros(taskUsd));
  }

  #budgetOf(reader: Reader, projectId: ProjectId) {
    return this.#parts.settings.forProject(getProject(reader, projectId)).defaults.budget;
  }

  #checkOne({ job, stop }: Watched): void {
    const overspent = this.overspent(job);
    if (overspent) stop(new RunStopped({ kind: "limit", reason: "budget", ...overspent }));
  }

  /** What of the budgets that the run is under is used up; undefined: nothing. */
  overspent({ project, task }: Pick<Job, "project" | "task">): Overspent | undefined {
    const { reader } = this.#parts.database;
    const { taskUsd, taskTokens, dayUsd } = this.#budgetOf(reader, project.id);
    if (taskUsd !== null || taskTokens !== null) {
      const { usage } = getTask(reader, task.id);
      const raise = "Raise it and retry the task, which goes on from the saved work.";
      if (taskUsd !== null && (usage.costUsdMicros ?? 0) >= micros(taskUsd)) {
        return { message: `The task's budget of $${taskUsd} (defaults.budget.taskUsd) is used up. ${raise}`, retryAt: null };
      }
      if (taskTokens !== null && countedTokens(usage) >= taskTokens) {
        return { message: `The task's budget of ${taskTokens} tokens (defaults.budget.taskTokens) is used up. ${raise}`, retryAt: null };
      }
    }
    const ofAll = this.#parts.settings.current().daemon.budget.dayUsd;
    return (
      this.#overspentDay(`The project's budget of $${dayUsd} a day (defaults.budget.dayUsd)`, dayUsd, project.id) ??
      this.#overspentDay(`The budget of $${ofAll} a day for all projects (daemon.budget.dayUsd)`, ofAll, undefined)
    );
  }

  /** What the run may cost at most, US dollars, those at work beside it being left what they may cost; undefined: there is no budget. */
  leftFor({ project, task }: Pick<Job, "project" | "task">): number | undefined {
    const { reader } = this.#parts.database;
    const { taskUsd, dayUsd } = this.#budgetOf(reader, project.id);
    const ofTask = taskUsd === null ? Infinity : micros(taskUsd) - (getTask(reader, task.id).usage.costUsdMicros ?? 0);
    const ofDay = this.#leftOfDay(dayUsd, project.id, project.id);
    const ofAll = this.#leftOfDay(this.#parts.settings.current().daemon.budget.dayUsd, project.id, undefined);
    const left = Math.min(ofTask, ofDay, ofAll);
    return left === Infinity ? undefined : Math.max(1, left) / 1_000_000;
  }

  #overspentDay(what: string, usd: number | null, scope: ProjectId | undefined): Overspent | undefined {
    const day = dayOf(this.#parts.clock.now());
    if (usd === null || spentOn(this.#parts.database.reader, day, scope) < micros(usd)) return undefined;
    return { message: `${what} is used up. It goes on after ${minuteOf(day.endsAt)}.`, retryAt: day.endsAt };
  }

  /** In millionths of a dollar. The run that asks is one of the open ones. */
  #leftOfDay(usd: number | null, projectId: ProjectId, scope: ProjectId | undefined): number {
    if (usd === null) return Infinity;
    const { reader } = this.#parts.database;
    const { spent, reserved, open } = spending(reader, dayOf(this.#parts.clock.now()), scope, (id) => this.#expected(reader, id));
    const left = micros(usd) - spent;
    const others = open > 1 ? reserved - this.#expected(reader, projectId) : 0;
    return Number.isFinite(others) ? left - Math.max(0, others) : left;
  }
}
