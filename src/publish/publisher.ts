import type { CancelTimer, Clock } from "../base/clock.ts";
import { messageOf, toAppError, type AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Redact } from "../base/redact.ts";
import type { ProjectConfig } from "../contract/config.ts";
import type { Effect } from "../contract/effect.ts";
import type { TaskId } from "../contract/ids.ts";
import type { ForgeKind, Project } from "../contract/project.ts";
import { retryDelay } from "../domain/backoff.ts";
import type { Forge, ForgeProject } from "../forge/forge.ts";
import { markerOf } from "../forge/marker.ts";
import { raiseAlert } from "../store/alerts.ts";
import type { Database } from "../store/database.ts";
import { completeEffect, failEffect, hasPendingEffects, nextEffectAt, nextEffects } from "../store/effects.ts";
import { getProject } from "../store/projects.ts";
import { getTask, setPullRequest } from "../store/tasks.ts";
import type { Workspaces } from "../workspace/workspaces.ts";
import { withPullRequest } from "./render.ts";
import { WriteLimit } from "./write-limit.ts";

export interface PublisherParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly database: Database;
  readonly workspaces: Workspaces;
  readonly forges: Readonly<Record<ForgeKind, Forge>>;
  readonly redact: Redact;
  readonly settings: { forProject(project: Project): ProjectConfig };
}

/** Tasks whose effects are carried out at once. */
const PARALLEL_MAX = 4;
/** Effects of one task are tried again after this, doubled each time, milliseconds. */
const RETRY_BASE_MS = 5000;

/**
 * Carries out the stored effects, in order within a task, after the commit that stored them. Everything here may be
 * repeated: a push of the same commit, and writes that look for our marker first, so a lost answer or a crash between the
 * outside call and our note of it changes nothing twice.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #limit: WriteLimit;
  readonly #stop = new AbortController();
  readonly #underWay = new Map<TaskId, Promise<void>>();
  #stopListening: () => void = () => {};
  #cancelTimer: CancelTimer = () => {};

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#limit = new WriteLimit(parts.clock);
  }

  start(): void {
    this.#stopListening = this.#parts.database.onCommit(() => this.#fill());
    this.#fill();
  }

  /** Begins nothing more, gives up what waits, and resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopListening();
    this.#cancelTimer();
    this.#stop.abort();
    await Promise.all(this.#underWay.values());
  }

  /** Carries out what is due now, and resolves when that is done or put off. */
  async runOnce(): Promise<void> {
    this.#fill();
    await Promise.all(this.#underWay.values());
  }

  #fill(): void {
    if (this.#stop.signal.aborted) return;
    try {
      this.#fillAll();
    } catch (thrown) {
      // The rows can't be read now; the next commit looks again.
      this.#parts.log.error("effects not read", { error: messageOf(thrown) });
    }
  }

  #fillAll(): void {
    const { clock, database } = this.#parts;
    if (this.#underWay.size >= PARALLEL_MAX || !hasPendingEffects(database.reader)) return;
    for (const effect of nextEffects(database.reader, clock.now(), PARALLEL_MAX * 2)) {
      if (this.#underWay.size >= PARALLEL_MAX) return;
      if (!this.#underWay.has(effect.taskId)) this.#underWay.set(effect.taskId, this.#carryOut(effect));
    }
    this.#wakeWhenDue();
  }

  async #carryOut(effect: Effect): Promise<void> {
    const { database, log } = this.#parts;
    try {
      const { url, note } = await this.#perform(effect);
      await database.write((tx) => {
        note?.(tx);
        completeEffect(tx, effect.id, { url });
      });
    } catch (thrown) {
      if (!this.#stop.signal.aborted)
        await this.#putOff(effect, toAppError(thrown)).catch((failure: unknown) =>
          log.error("effect not noted", { error: messageOf(failure) }),
        );
    } finally {
      this.#underWay.delete(effect.taskId);
      this.#fill();
    }
  }

  async #perform(effect: Effect): Promise<{ url: string | null; note?: (tx: Parameters<typeof setPullRequest>[0]) => void }> {
    const { database, forges, redact, settings, workspaces } = this.#parts;
    const { signal } = this.#stop;
    const project = getProject(database.reader, effect.projectId);
    const target: ForgeProject = { project, config: settings.forProject(project) };
    const forge = forges[project.forge];
    const { payload, taskId } = effect;
    if (payload.kind === "push") {
      await workspaces.push(project, forge.credentials(target), payload.branch, payload.commit, signal);
      return { url: null };
    }
    await this.#limit.take(signal);
    if (payload.kind === "comment") {
      const { pullRequest } = getTask(database.reader, taskId);
      const body = redact(payload.linksPullRequest && pullRequest !== null ? withPullRequest(payload.body, pullRequest) : payload.body);
      return forge.putComment(target, { issue: payload.issue, marker: markerOf(taskId, "comment"), body }, signal);
    }
    const { branch, base, title, body } = payload;
    const pull = await forge.putPullRequest(
      target,
      { branch, base, title: redact(title), body: redact(body), marker: markerOf(taskId, "pull_request") },
      signal,
    );
    return { url: pull.url, note: (tx) => setPullRequest(tx, taskId, { number: pull.number, url: pull.url }) };
  }

  async #putOff(effect: Effect, error: AppError): Promise<void> {
    const { clock, database, log, random } = this.#parts;
    const { payload, taskId, projectId } = effect;
    const again = error.code === "unavailable" || error.code === "timeout";
    const retryAfterMs = typeof error.details["retryAfterMs"] === "number" ? error.details["retryAfterMs"] : 0;
    const nextAt = again ? clock.now() + Math.max(retryAfterMs, retryDelay(effect.attempt + 1, RETRY_BASE_MS, random)) : null;
    log.warn("effect not carried out", { kind: payload.kind, taskId, error: error.message, nextAt });
    await database.write((tx) => {
      failEffect(tx, effect.id, { message: error.message, nextAt });
      if (nextAt !== null) return;
      const { key } = getTask(tx, taskId);
      const message = `The ${payload.kind.replace("_", " ")} of ${key} could not be published: ${error.message}`;
      raiseAlert(tx, { kind: "publish_failed", subject: `${key} ${payload.kind}`, message, projectId, taskId });
    });
  }

  #wakeWhenDue(): void {
    this.#cancelTimer();
    const { clock, database } = this.#parts;
    const nextAt = nextEffectAt(database.reader);
    if (nextAt !== undefined && nextAt > clock.now()) this.#cancelTimer = clock.setTimer(nextAt - clock.now(), () => this.#fill());
  }
}
