import type { ProjectId } from "../contract/ids.ts";
import type { ProjectShare } from "../domain/schedule.ts";
import type { Reader } from "../store/database.ts";
import { changedProjects } from "../store/events.ts";
import { dueProjects, loadShares } from "../store/queue.ts";

/**
 * The shares of all projects, kept between two choices: a choice reads anew only the projects whose tasks changed or came
 * due since, so its cost does not grow with the number of projects that wait. Follows committed facts alone.
 */
export class ShareCache {
  readonly #runningMax: (reader: Reader, projectId: ProjectId) => number;
  #shares = new Map<ProjectId, ProjectShare>();
  #sequence: number | undefined;
  #lookedAt = 0;

  /** @param runningMax how many tasks of a project may run at once. */
  constructor(runningMax: (reader: Reader, projectId: ProjectId) => number) {
    this.#runningMax = runningMax;
  }

  /** Forgets everything: a limit may have changed. */
  reset(): void {
    this.#sequence = undefined;
  }

  /** The shares of the projects with due work. */
  refresh(reader: Reader, now: number): ReadonlyMap<ProjectId, ProjectShare> {
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
  load(reader: Reader, projectId: ProjectId, now: number): ProjectShare | undefined {
    const [share] = loadShares(reader, now, [projectId]);
    return share && { ...share, runningMax: this.#runningMax(reader, projectId) };
  }

  #readAll(reader: Reader, now: number): ReadonlyMap<ProjectId, ProjectShare> {
    this.#sequence = changedProjects(reader, Number.MAX_SAFE_INTEGER).sequence;
    this.#lookedAt = now;
    const shares = loadShares(reader, now).map((share) => ({ ...share, runningMax: this.#runningMax(reader, share.projectId) }));
    this.#shares = new Map(shares.map((share) => [share.projectId, share]));
    return this.#shares;
  }

  #put(projectId: ProjectId, share: ProjectShare | undefined): void {
    if (share) this.#shares.set(projectId, share);
    else this.#shares.delete(projectId);
  }
}
