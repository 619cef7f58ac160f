import { messageOf, toAppError } from "../../base/errors.ts";
import type { ProjectId } from "../../contract/ids.ts";
import { raiseAlert, resolveAlerts } from "../../store/alerts.ts";
import { listMergeQueue, listOpenBranches } from "../../store/branches.ts";
import { listEffects } from "../../store/effects.ts";
import { getProject, listProjects } from "../../store/projects.ts";
import type { EngineParts } from "../parts.ts";
import type { CommitChecker } from "./commit-checker.ts";
import { followWithBranch } from "./follow-base.ts";
import { mergeQueued } from "./merge-queue.ts";
import { openScene } from "./scene.ts";

/** Of a project whose finished branches can't be looked after. */
const BRANCHES_FAILED = "branches_failed";
/** Rounds of merging in one look: each one has moved the base. */
const ROUNDS_MAX = 20;

/**
 * Looks after the finished branches of the projects: merges what is to be merged, and puts the others onto the base when that has moved.
 * One project after the other, because each may run checks. What is to be done is read from the rows and from the
 * remote each time, so a look that was cut short is simply done again.
 */
export class BaseWatch {
  readonly #parts: EngineParts;
  readonly #checker: CommitChecker;
  readonly #stop = new AbortController();
  readonly #due = new Set<ProjectId>();
  #working: Promise<void> | undefined;
  #stopListening: () => void = () => {};
  #queue = "";

  constructor(parts: EngineParts, checker: CommitChecker) {
    this.#parts = parts;
    this.#checker = checker;
  }

  start(): void {
    this.#stopListening = this.#parts.database.onCommit((changed) => {
      if (changed.has("branches") || changed.has("effects")) this.#lookAtChangedQueue();
    });
  }

  /** Begins nothing more, ends the checks that run, and resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopListening();
    this.#stop.abort();
    await this.#working;
  }

  /** Soon: the base of the project may have moved, or what waits in its queue may be ready. */
  look(projectId: ProjectId): void {
    if (this.#stop.signal.aborted) return;
    this.#due.add(projectId);
    this.#working ??= this.#workOff();
  }

  /** Looks at all enabled projects, and resolves when that is done. */
  async runOnce(): Promise<void> {
    for (const project of listProjects(this.#parts.database.reader)) if (project.enabled) this.look(project.id);
    await this.#working;
  }

  async #workOff(): Promise<void> {
    // Not in the turn of a commit, whose listeners must be quick.
    await Promise.resolve();
    for (const projectId of this.#due) {
      this.#due.delete(projectId);
      if (this.#stop.signal.aborted) break;
      await this.#lookAt(projectId);
    }
    this.#working = undefined;
  }

  async #lookAt(projectId: ProjectId): Promise<void> {
    const { database, log } = this.#parts;
    try {
      await this.#lookAfter(projectId);
      await database.write((tx) => resolveAlerts(tx, BRANCHES_FAILED, getProject(tx, projectId).name));
    } catch (thrown) {
      if (this.#stop.signal.aborted) return;
      const error = toAppError(thrown);
      log.warn("finished branches not looked after", { projectId, error: error.message });
      // What did not answer is asked again with the next poll.
      if (error.code === "unavailable" || error.code === "timeout" || error.code === "cancelled") return;
      await this.#tell(projectId, error.message).catch((failure: unknown) => log.error("alert not raised", { error: messageOf(failure) }));
    }
  }

  async #lookAfter(projectId: ProjectId): Promise<void> {
    const { database, workspaces } = this.#parts;
    const { signal } = this.#stop;
    const project = getProject(database.reader, projectId);
    if (!project.enabled || listOpenBranches(database.reader, projectId).length === 0) return;
    const scene = openScene(this.#parts, this.#checker, project, signal);
    let base = await workspaces.fetchBase(project, scene.credentials, signal);
    for (let round = 0; round < ROUNDS_MAX && (await mergeQueued(scene, base)); round += 1)
      base = await workspaces.fetchBase(project, scene.credentials, signal);
    if (!scene.config.defaults.followBase) return;
    for (const branch of listOpenBranches(database.reader, projectId)) {
      signal.throwIfAborted();
      await followWithBranch(scene, branch, base);
    }
  }

  #tell(projectId: ProjectId, why: string): Promise<void> {
    return this.#parts.database.write((tx) => {
      const { name } = getProject(tx, projectId);
      const message = `The finished branches of ${name} can't be looked after: ${why}`;
      raiseAlert(tx, { kind: BRANCHES_FAILED, subject: name, message, projectId });
    });
  }

  /** After a commit: what is new in a queue, or was published, may be merged now. Costs little while nothing waits. */
  #lookAtChangedQueue(): void {
    const { reader } = this.#parts.database;
    const waiting = listMergeQueue(reader).map(({ taskId, headCommit, projectId }) => {
      const isPublished = !listEffects(reader, taskId).some(({ status }) => status === "pending");
      return { projectId, key: `${taskId} ${headCommit} ${isPublished}` };
    });
    const queue = waiting.map(({ key }) => key).join();
    if (queue === this.#queue) return;
    this.#queue = queue;
    for (const { projectId } of waiting) this.look(projectId);
  }
}
