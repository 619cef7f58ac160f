import type { ProjectId } from "../contract/ids.ts";
import type { Lane, LaneAgent, LaneRequest } from "../domain/gates.ts";
import type { ProjectShare } from "../domain/schedule.ts";
import type { Reader } from "../store/database.ts";
import { changedProjects } from "../store/events.ts";
import { countRunningOf, dueProjects, loadShares, type DueLane, type DueProject } from "../store/queue.ts";

/** What a project's settings say of its starts. */
export interface ProjectTerms {
  readonly runningMax: number;
  /** How many tasks of a workflow may run at once. */
  readonly runningMaxOf: (workflow: string) => number;
  /** The agents that may do the tasks of a lane, the wanted one first. */
  readonly agentsFor: (lane: Lane) => readonly LaneAgent[];
  /** The pools in which the runs of a lane have a place. */
  readonly poolsOf: (lane: Lane) => readonly string[];
  /** Whether what the project costs may hold it up. */
  readonly hasBudget: boolean;
}

/** A lane with due tasks, as the gates are asked about it. */
export type WaitingLane = LaneRequest & Pick<DueLane, "heads">;

/** The share of a project with due work; its heads are those of all its lanes. */
export interface WaitingProject extends ProjectShare {
  readonly lanes: readonly WaitingLane[];
  /** Whether something that is its own may hold it up: what it costs, or a pool that some of its tasks need. */
  readonly mayBeHeld: boolean;
}

/**
 * The shares of all projects, kept between two choices: a choice reads anew only the projects whose tasks changed or came
 * due since, so its cost does not grow with the number of projects that wait. Follows committed facts alone.
 */
export class ShareCache {
  readonly #termsOf: (reader: Reader, projectId: ProjectId) => ProjectTerms;
  #shares = new Map<ProjectId, WaitingProject>();
  #sequence: number | undefined;
  #lookedAt = 0;

  constructor(termsOf: (reader: Reader, projectId: ProjectId) => ProjectTerms) {
    this.#termsOf = termsOf;
  }

  /** Forgets everything: a limit may have changed. */
  reset(): void {
    this.#sequence = undefined;
  }

  /** The shares of the projects with due work. */
  refresh(reader: Reader, now: number): ReadonlyMap<ProjectId, WaitingProject> {
    // A clock that was set back makes tasks due later again, which no event tells.
    if (this.#sequence === undefined || now < this.#lookedAt) return this.#readAll(reader, now);
    const changed = changedProjects(reader, this.#sequence);
    const dirty = new Set([...changed.projectIds, ...dueProjects(reader, this.#lookedAt, now)]);
    for (const projectId of dirty) this.#put(projectId, this.load(reader, projectId, now));
    this.#sequence = changed.sequence;
    this.#lookedAt = now;
    return this.#shares;
  }

  /** One project's share as it is now. */
  load(reader: Reader, projectId: ProjectId, now: number): WaitingProject | undefined {
    const [share] = loadShares(reader, now, [projectId]);
    return share && this.#onTerms(reader, share);
  }

  #readAll(reader: Reader, now: number): ReadonlyMap<ProjectId, WaitingProject> {
    this.#sequence = changedProjects(reader, Number.MAX_SAFE_INTEGER).sequence;
    this.#lookedAt = now;
    const shares = loadShares(reader, now).map((share) => this.#onTerms(reader, share));
    this.#shares = new Map(shares.map((share) => [share.projectId, share]));
    return this.#shares;
  }

  #onTerms(reader: Reader, share: DueProject): WaitingProject {
    const { projectId } = share;
    const { runningMax, runningMaxOf, agentsFor, poolsOf, hasBudget } = this.#termsOf(reader, projectId);
    const hasRoom = ({ lane: { workflow } }: DueLane) => {
      const max = runningMaxOf(workflow);
      return max >= runningMax || countRunningOf(reader, projectId, workflow) < max;
    };
    const lanes = share.lanes.filter(hasRoom).map(({ lane, heads }) => {
      const [agents, pools] = [agentsFor(lane), poolsOf(lane)];
      return { projectId, key: JSON.stringify([lane, agents, pools]), lane, agents, pools, heads };
    });
    return {
      ...share,
      runningMax,
      lanes,
      heads: lanes.flatMap(({ heads }) => heads),
      mayBeHeld: hasBudget || lanes.some(({ pools }) => pools.length > 1),
    };
  }

  #put(projectId: ProjectId, share: WaitingProject | undefined): void {
    if (share) this.#shares.set(projectId, share);
    else this.#shares.delete(projectId);
  }
}
