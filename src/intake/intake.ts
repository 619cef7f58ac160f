import type { CancelTimer, Clock } from "../base/clock.ts";
import { AppError, messageOf, toAppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Config, ProjectConfig } from "../contract/config.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { ForgeKind, Project } from "../contract/project.ts";
import { retryDelay } from "../domain/backoff.ts";
import type { Forge } from "../forge/forge.ts";
import { readWebhook, type WebhookDelivery } from "../forge/github/webhook.ts";
import type { Database } from "../store/database.ts";
import { recordDelivery } from "../store/intake.ts";
import { countProjects, listProjects } from "../store/projects.ts";
import { takeIn, type IntakeOutcome, type IssueIntakeParts, type Workflows } from "./issue-intake.ts";
import { pollProject, type PollResult } from "./project-poll.ts";

export interface IntakeParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly database: Database;
  readonly forges: Readonly<Record<ForgeKind, Forge>>;
  readonly workflows: Workflows;
  readonly settings: {
    current(): Config;
    forProject(project: Project): ProjectConfig;
    /** False while a project's own file was never right, so that its labels are unknown. */
    isKnown(project: Project): boolean;
    secret(variable: string): string | undefined;
  };
  /** The base branch of a project is to be looked at: told with each poll that went well, and when a webhook says that it was pushed to. */
  readonly lookAtBase: (project: Project) => void;
}

/** A poll that takes longer is given up and tried again later. */
const POLL_TIMEOUT_MS = 5 * 60_000;
/** Polls under way at once. */
const PARALLEL_MAX = 32;
/** New and enabled projects are noticed after this at the latest. */
const LOOK_MS = 15_000;
/** The first polls after the start begin this far apart. */
const SPREAD_MS = 250;

interface Appointment {
  readonly at: number;
  /** Polls that failed one after the other. */
  readonly failures: number;
}

/**
 * Turns issues into tasks: polls each enabled project on its own interval, and looks at single issues when a webhook says
 * so. Each project waits and fails for itself. Two looks at one project never overlap.
 */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #stop = new AbortController();
  readonly #appointments = new Map<ProjectId, Appointment>();
  readonly #polling = new Set<ProjectId>();
  readonly #turns = new Map<ProjectId, Promise<unknown>>();
  readonly #underWay = new Set<Promise<unknown>>();
  #cancelTimer: CancelTimer = () => {};
  #stopListening: () => void = () => {};
  #projects = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  start(): void {
    const { database } = this.#parts;
    this.#stopListening = database.onCommit((changed) => {
      if (changed.has("projects") && countProjects(database.reader) !== this.#projects) this.#look();
    });
    this.#look();
  }

  /** Begins nothing more, gives up what waits for a forge, and resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopListening();
    this.#cancelTimer();
    this.#stop.abort(new AppError("cancelled", "The daemon stops."));
    await Promise.all(this.#underWay);
  }

  /** Polls every enabled project now, whenever it is due, and takes in what webhooks told; resolves when that is done. */
  async runOnce(): Promise<void> {
    for (const project of this.#enabledProjects()) this.#begin(project);
    await Promise.all(this.#underWay);
  }

  /** Polls one project now. Throws what the forge failed with; that is stored with the project too. `conflict`: it is disabled. */
  async pollProject(project: Project, signal: AbortSignal): Promise<PollResult> {
    if (!project.enabled)
      throw new AppError("conflict", `${project.name} is disabled. Enable it first: drover project enable ${project.name}`);
    const result = await this.#inTurn(project.id, () =>
      this.#withDeadline(signal, (limited) => pollProject(this.#parts.database, project, () => this.#partsFor(project), limited)),
    );
    this.#parts.lookAtBase(project);
    return result;
  }

  /** Looks at one issue now. */
  pollIssue(project: Project, number: number, signal: AbortSignal): Promise<IntakeOutcome> {
    return this.#inTurn(project.id, () =>
      this.#withDeadline(signal, async (limited) => {
        const parts = this.#partsFor(project);
        return takeIn(parts, number, await parts.forge.getIssue(parts.target, number, limited), limited);
      }),
    );
  }

  /**
   * Takes a webhook of GitHub's. What it says is only a hint to look at an issue now rather than at the next poll, so nothing
   * is lost when that look fails. False: nothing of ours, or seen before. Throws `invalid` when it is not proven to be from GitHub.
   */
  async receiveWebhook(project: Project, delivery: WebhookDelivery): Promise<boolean> {
    const { database, settings } = this.#parts;
    const variable = settings.forProject(project).github.webhookSecretVariable;
    const secret = variable === null ? undefined : settings.secret(variable);
    if (!secret)
      throw new AppError("invalid", `${project.name} takes no webhooks: github.webhookSecretVariable names no secret.`, {
        reason: "signature",
      });
    const notice = readWebhook(delivery, secret);
    if (notice.repository !== project.repository?.toLowerCase())
      throw new AppError("invalid", `The webhook is of ${notice.repository}, not of ${project.name}.`);
    const isNews = await database.write((tx) => recordDelivery(tx, project.id, notice.deliveryId));
    const { issue, branch } = notice;
    if (!isNews || !project.enabled) return false;
    if (branch === project.baseBranch) this.#parts.lookAtBase(project);
    if (issue === null) return branch === project.baseBranch;
    this.#track(this.pollIssue(project, issue, this.#stop.signal), project, { issue });
    return true;
  }

  /** Begins every poll that is due and sets the timer for the next. */
  #look(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelTimer();
    const { clock, log } = this.#parts;
    let waitMs = LOOK_MS;
    try {
      const projects = this.#enabledProjects();
      for (const [index, project] of projects.entries()) {
        const { at } =
          this.#appointments.get(project.id) ?? this.#appoint(project.id, { at: clock.now() + index * SPREAD_MS, failures: 0 });
        if (this.#polling.has(project.id)) continue;
        if (at > clock.now()) waitMs = Math.min(waitMs, at - clock.now());
        else if (this.#polling.size < PARALLEL_MAX) this.#begin(project);
      }
    } catch (thrown) {
      // The projects can't be read now; the next look tries again.
      log.error("projects not read", { error: messageOf(thrown) });
    }
    this.#cancelTimer = clock.setTimer(waitMs, () => this.#look());
  }

  #enabledProjects(): Project[] {
    const { reader } = this.#parts.database;
    this.#projects = countProjects(reader);
    const projects = listProjects(reader).filter((project) => project.enabled);
    const ids = new Set(projects.map((project) => project.id));
    for (const id of this.#appointments.keys()) if (!ids.has(id)) this.#appointments.delete(id);
    return projects;
  }

  #begin(project: Project): void {
    if (this.#polling.has(project.id)) return;
    this.#polling.add(project.id);
    const { failures } = this.#appointments.get(project.id) ?? { failures: 0 };
    const polling = this.pollProject(project, this.#stop.signal).then(
      () => this.#appointAfter(project, 0, 0),
      (thrown: unknown) => {
        this.#appointAfter(project, failures + 1, Number(toAppError(thrown).details["retryAfterMs"] ?? 0));
        throw thrown;
      },
    );
    this.#track(
      polling.finally(() => this.#endPolling(project.id)),
      project,
      {},
    );
  }

  #endPolling(id: ProjectId): void {
    this.#polling.delete(id);
    this.#look();
  }

  /** The interval with a little chance in it, so that projects do not all come at once; after failures longer and longer. */
  #appointAfter(project: Project, failures: number, retryAfterMs: number): void {
    const { clock, random, settings } = this.#parts;
    const { pollingInterval } = settings.forProject(project).defaults;
    const waitMs = failures === 0 ? pollingInterval * (1 + random() / 10) : retryDelay(failures, pollingInterval, random);
    this.#appoint(project.id, { at: clock.now() + Math.round(Math.max(waitMs, retryAfterMs)), failures });
  }

  #appoint(id: ProjectId, appointment: Appointment): Appointment {
    this.#appointments.set(id, appointment);
    return appointment;
  }

  #track(work: Promise<unknown>, project: Project, fields: Record<string, unknown>): void {
    const tracked = work
      .catch((thrown: unknown) => {
        // Nothing is lost: the next poll sees the same again.
        if (!this.#stop.signal.aborted)
          this.#parts.log.warn("issues not taken in", { ...fields, projectId: project.id, error: messageOf(thrown) });
      })
      .finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
  }

  /** One look at a project after the other. */
  async #inTurn<Result>(id: ProjectId, work: () => Promise<Result>): Promise<Result> {
    // How the one before ended is its own matter.
    const turn = (this.#turns.get(id) ?? Promise.resolve()).then(work, work);
    this.#turns.set(id, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(id) === turn) this.#turns.delete(id);
    }
  }

  async #withDeadline<Result>(signal: AbortSignal, work: (limited: AbortSignal) => Promise<Result>): Promise<Result> {
    const deadline = new AbortController();
    const cancel = this.#parts.clock.setTimer(POLL_TIMEOUT_MS, () => {
      deadline.abort(new AppError("timeout", `The issues could not be looked at within ${POLL_TIMEOUT_MS / 60_000} minutes.`));
    });
    try {
      return await work(AbortSignal.any([signal, deadline.signal]));
    } finally {
      cancel();
    }
  }

  /** Throws `invalid` while the project's settings are unknown: with the defaults its issues would look as if nobody wanted them. */
  #partsFor(project: Project): IssueIntakeParts {
    const { database, forges, settings, workflows } = this.#parts;
    if (!settings.isKnown(project)) {
      throw new AppError(
        "invalid",
        `The configuration file of ${project.name} has an error, so its issues are left alone: drover config validate`,
      );
    }
    const target = { project, config: settings.forProject(project) };
    return { database, forge: forges[project.forge], target, queueMax: settings.current().daemon.queueMax, workflows };
  }
}
