import type { Clock } from "../base/clock.ts";
import { AppError, messageOf, toAppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { ProjectConfig } from "../contract/config.ts";
import type { Effect } from "../contract/effect.ts";
import type { TaskId } from "../contract/ids.ts";
import type { ForgeKind, Project } from "../contract/project.ts";
import { retryDelay } from "../domain/backoff.ts";
import type { Forge, ForgeProject, PullRequest } from "../forge/forge.ts";
import { agentMarkerOf, markerOf } from "../forge/marker.ts";
import { raiseAlert, resolveAlerts } from "../store/alerts.ts";
import { pullNote } from "../store/broker.ts";
import type { Database, Reader, Transaction } from "../store/database.ts";
import {
  completeEffect,
  failEffect,
  hasPendingEffects,
  isPending,
  lastEffect,
  listEffects,
  nextEffectAt,
  nextEffects,
} from "../store/effects.ts";
import { Outbox } from "../store/outbox.ts";
import { getProject } from "../store/projects.ts";
import { taskKey } from "../store/task-row.ts";
import { getTask, setPullRequest } from "../store/tasks.ts";
import type { Workspaces } from "../workspace/workspaces.ts";
import { quietMarkdown } from "./quiet-text.ts";
import { withNote, withoutPullRequest, withPullRequest } from "./render.ts";
import { WriteLimit } from "./write-limit.ts";

export interface PublisherParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly database: Database;
  readonly workspaces: Workspaces;
  readonly forges: Readonly<Record<ForgeKind, Forge>>;
  readonly settings: {
    forProject(project: Project): ProjectConfig;
    /** False while a project's own file was never right, so that its forge's address is unknown. */
    isKnown(project: Project): boolean;
  };
}

/** Tasks whose effects are carried out at once. */
const PARALLEL_MAX = 8;
/** Effects of one task are tried again after this, doubled each time, milliseconds. */
const RETRY_BASE_MS = 5000;
/** From this failure on a person should know, even of an outage that may pass by itself. */
const ALERT_ATTEMPT = 5;

/**
 * Carries out the stored effects, in order within a task, after the commit that stored them. Everything here may be
 * repeated: a push of the same commit, and writes that look for our marker first, so a lost answer or a crash between the
 * outside call and our note of it changes nothing twice.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #limit: WriteLimit;
  readonly #outbox: Outbox<Effect>;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
    this.#limit = new WriteLimit(parts.clock);
    this.#outbox = new Outbox(parts, {
      table: "effects",
      newest: lastEffect,
      due: dueEffects,
      nextAt: (reader) => (hasPendingEffects(reader) ? nextEffectAt(reader) : undefined),
      ownerOf: ({ taskId }) => taskId,
      carryOut: (effect) => this.#carryOut(effect),
    });
  }

  start(): void {
    this.#outbox.start();
  }

  /** Begins nothing more, gives up what waits, and resolves when nothing is under way. */
  stop(): Promise<void> {
    return this.#outbox.stop();
  }

  /** Carries out what is due now, and resolves when that is done or put off. */
  runOnce(): Promise<void> {
    return this.#outbox.runOnce();
  }

  async #carryOut(effect: Effect): Promise<void> {
    const { database, log } = this.#parts;
    try {
      const done = await this.#perform(effect);
      if (done === undefined) return;
      await database.write((tx) => {
        done.note?.(tx);
        completeEffect(tx, effect.id, { url: done.url });
        resolveAlerts(tx, "publish_failed", this.#subject(effect));
      });
    } catch (thrown) {
      if (this.#outbox.stopping.aborted) return;
      await this.#putOff(effect, toAppError(thrown)).catch((failure: unknown) =>
        log.error("effect not noted", { error: messageOf(failure) }),
      );
    }
  }

  /** Undefined: while it waited for its turn it was dropped. */
  async #perform(effect: Effect): Promise<{ url: string | null; note?: (tx: Transaction) => void } | undefined> {
    const { database, forges, settings, workspaces } = this.#parts;
    const signal = this.#outbox.stopping;
    const project = getProject(database.reader, effect.projectId);
    if (!settings.isKnown(project)) {
      throw new AppError(
        "invalid",
        `The configuration file of ${project.name} has an error, so nothing is published: drover config validate`,
      );
    }
    const target: ForgeProject = { project, config: settings.forProject(project) };
    const forge = forges[project.forge];
    const { payload, taskId } = effect;
    if (payload.kind === "push") {
      await workspaces.push(project, forge.credentials(target), payload.branch, payload.commit, signal);
      return { url: null };
    }
    if (project.forge === "github") await this.#limit.take(signal);
    if (!isPending(database.reader, effect.id)) return undefined;
    if (payload.kind === "comment") {
      const body = payload.linksPullRequest ? this.#linked(payload.body, taskId) : payload.body;
      return forge.putComment(target, { issue: payload.issue, marker: markerOf(taskId, "comment"), body }, signal);
    }
    if (payload.kind === "agent_comment") {
      const marker = agentMarkerOf(taskId, effect.id);
      return forge.putComment(target, { issue: payload.issue, marker, body: quietMarkdown(payload.body), name: effect.id }, signal);
    }
    const { branch, base, title } = payload;
    const body = withNote(payload.body, pullNote(database.reader, taskId));
    const pull = await forge.putPullRequest(target, { branch, base, title, body, marker: markerOf(taskId, "pull_request") }, signal);
    return { url: pull.url, note: (tx) => this.#notePullRequest(tx, effect, pull) };
  }

  #linked(body: string, taskId: TaskId): string {
    const { pullRequest } = getTask(this.#parts.database.reader, taskId);
    return pullRequest === null ? withoutPullRequest(body) : withPullRequest(body, pullRequest);
  }

  #notePullRequest(tx: Transaction, { taskId, projectId }: Effect, { number, url, open }: PullRequest): void {
    setPullRequest(tx, taskId, { number, url });
    if (open) return;
    const { key } = getTask(tx, taskId);
    const message = `The pull request ${url} of ${key} was closed by a person, so it was left as it is. Its branch has the newest work; reopen it to go on.`;
    raiseAlert(tx, { kind: "pull_request_closed", subject: key, message, projectId, taskId });
  }

  /**
   * An outage is tried again until it passes. So is what a person has to put right (a token, a permission, an address), for
   * the result must not be lost over it. The rest would fail for ever.
   */
  async #putOff(effect: Effect, error: AppError): Promise<void> {
    const { clock, database, log, random } = this.#parts;
    const { payload, taskId, projectId, attempt } = effect;
    const isOutage = error.code === "unavailable" || error.code === "timeout";
    const isFixable = error.code === "invalid" && error.details["status"] !== 422;
    const retryAfterMs = typeof error.details["retryAfterMs"] === "number" ? error.details["retryAfterMs"] : 0;
    const nextAt = isOutage || isFixable ? clock.now() + Math.max(retryAfterMs, retryDelay(attempt + 1, RETRY_BASE_MS, random)) : null;
    log.warn("effect not carried out", { kind: payload.kind, taskId, error: error.message, nextAt });
    await database.write((tx) => {
      failEffect(tx, effect.id, { message: error.message, nextAt });
      if (nextAt === null && payload.kind === "push") failPullRequest(tx, effect);
      if (isOutage && attempt + 1 < ALERT_ATTEMPT) return;
      const { key } = getTask(tx, taskId);
      const end = nextAt === null ? "It is given up." : "It is tried again.";
      const message = `The ${payload.kind.replace("_", " ")} of ${key} could not be published. ${end} ${error.message}`;
      raiseAlert(tx, { kind: "publish_failed", subject: this.#subject(effect), message, projectId, taskId });
    });
  }

  #subject({ taskId, payload }: Effect): string {
    return `${taskKey(this.#parts.database.reader, taskId)} ${payload.kind}`;
  }
}

function dueEffects(reader: Reader, now: number, busy: readonly string[]): Effect[] {
  const free = PARALLEL_MAX - busy.length;
  return free > 0 && hasPendingEffects(reader) ? nextEffects(reader, now, free, busy) : [];
}

/** Without its branch there can be none. */
function failPullRequest(tx: Transaction, { taskId }: Effect): void {
  for (const { id, payload, status } of listEffects(tx, taskId)) {
    if (payload.kind === "pull_request" && status === "pending")
      failEffect(tx, id, { message: "Its branch could not be pushed.", nextAt: null });
  }
}
