import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Redact } from "../base/redact.ts";
import { safeText } from "../base/text.ts";
import type { BrokerAnswer, BrokerCall } from "../contract/broker.ts";
import type { Config, ProjectConfig } from "../contract/config.ts";
import type { EffectPayload } from "../contract/effect.ts";
import type { ForgeKind, Project } from "../contract/project.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Forge } from "../forge/forge.ts";
import { appendAudit } from "../store/audit.ts";
import { agentComments, isOpen, lastPullEffect, takeBrokerCall } from "../store/broker.ts";
import type { Database, Transaction } from "../store/database.ts";
import { enqueueEffect } from "../store/effects.ts";
import { getProject } from "../store/projects.ts";
import { getTask } from "../store/tasks.ts";
import { ReadingCache } from "./reading-cache.ts";
import { ownIssue, ownPull, queryOf, refused, requireOwnRepository, type ReadCall, type WriteCall } from "./scope.ts";

export interface BrokerParts {
  readonly clock: Clock;
  readonly database: Database;
  readonly forges: Readonly<Record<ForgeKind, Forge>>;
  readonly settings: {
    current(): Config;
    forProject(project: Project): ProjectConfig;
    /** False while a project's own file was never right, so that its forge's address is unknown. */
    isKnown(project: Project): boolean;
  };
  readonly redact: Redact;
}

/**
 * Asks the forge in the place of an agent, which has no token: a closed list of calls (`contract/broker.ts`), of the
 * repository of its project alone, so many a run. What it writes is at the issue and the pull request of its own task, an
 * effect like the daemon's own, and in the audit log.
 */
export class Broker {
  readonly #parts: BrokerParts;
  readonly #cache: ReadingCache;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
    this.#cache = new ReadingCache(parts.clock);
  }

  /** Throws `conflict` when the run has ended, `invalid` for what an agent may not ask, and what the forge throws. */
  async ask(run: Run, call: BrokerCall, signal: AbortSignal): Promise<BrokerAnswer> {
    await this.#count(run);
    const { reader } = this.#parts.database;
    const task = getTask(reader, run.taskId);
    const project = getProject(reader, run.projectId);
    requireOwnRepository(call, project);
    if (call.call === "comment" || call.call === "edit_pull") return { call: call.call, value: await this.#write(run, task, call) };
    return this.#read(task, project, call, signal);
  }

  async #count(run: Run): Promise<void> {
    const { database, settings } = this.#parts;
    const max = settings.current().broker.callsMax;
    const taken = await database.write((tx) => takeBrokerCall(tx, run, max));
    if (taken === "ended") throw ended(run);
    if (taken === "used_up")
      throw refused(
        `This run has asked ${max} times, which is all it may (broker.callsMax). Go on with what you know; the code is in the workspace.`,
      );
  }

  async #read(task: Task, project: Project, call: ReadCall, signal: AbortSignal): Promise<BrokerAnswer> {
    const { forges, settings } = this.#parts;
    if (!settings.isKnown(project)) throw refused(`The configuration file of ${project.name} has an error, so its forge is not asked.`);
    const query = queryOf(call, task);
    const target = { project, config: settings.forProject(project) };
    const answer = await this.#cache.get(project.id, query, (etag) => forges[project.forge].read(target, query, etag, signal));
    return cleaned(answer, this.#parts.redact);
  }

  /** In one transaction with its line in the audit log; carried out once that is committed. */
  #write(run: Run, task: Task, call: WriteCall): Promise<string> {
    const { commentsMax } = this.#parts.settings.current().broker;
    const body = this.#parts.redact(call.body);
    return this.#parts.database.write((tx) => {
      // It may have ended since it was counted.
      if (!isOpen(tx, run)) throw ended(run);
      return call.call === "comment" ? comment(tx, run, task, { ...call, body }, commentsMax) : editPull(tx, run, task, { ...call, body });
    });
  }
}

function ended({ id }: Run): AppError {
  return new AppError("conflict", `Run ${id} has ended: nobody speaks for it any more.`);
}

/** The same words twice are one comment: who did not get the answer asks again. */
function comment(tx: Transaction, run: Run, task: Task, call: Extract<WriteCall, { call: "comment" }>, max: number): string {
  const issue = ownIssue(task, call.number);
  const said = agentComments(tx, run);
  const again = said.some(({ payload }) => payload.kind === "agent_comment" && payload.body === call.body);
  if (again) return `This run has said that at issue ${issue} already.`;
  if (said.length >= max)
    throw refused(`This run has written ${said.length} comments, which is all it may (broker.commentsMax). Put the rest into your report.`);
  write(tx, run, { kind: "agent_comment", issue, body: call.body });
  return `Drover writes it at issue ${issue}.`;
}

function editPull(tx: Transaction, run: Run, task: Task, call: Extract<WriteCall, { call: "edit_pull" }>): string {
  const number = ownPull(task, call.number);
  const last = lastPullEffect(tx, task.id);
  if (last?.payload.kind !== "pull_request")
    throw refused(`Drover did not open pull request ${number}, so its text is not ours to change.`);
  write(tx, run, { ...last.payload, note: call.body });
  return `Drover puts it above the proof in pull request ${number}.`;
}

function write(tx: Transaction, run: Run, payload: EffectPayload): void {
  const { projectId, taskId, epoch } = run;
  const { id } = enqueueEffect(tx, { projectId, taskId, epoch, payload });
  appendAudit(tx, {
    actor: `agent:${run.agent}`,
    action: payload.kind === "agent_comment" ? "broker.comment" : "broker.edit_pull",
    subject: run.taskKey,
    detail: { runId: run.id, effectId: id },
  });
}

/** Text from outside as an agent may see it: without secrets of ours, and without what hides in it. Code stays as it is. */
function cleaned(answer: BrokerAnswer, redact: Redact): BrokerAnswer {
  const clean = (value: unknown, name: string): unknown => {
    if (typeof value === "string") return redact(name === "content" || name === "patch" ? value : safeText(value));
    if (Array.isArray(value)) return value.map((item) => clean(item, name));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clean(item, key)]));
  };
  return clean(answer, "") as BrokerAnswer;
}
