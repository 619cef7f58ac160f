import { AppError } from "../../base/errors.ts";
import type { BrokerAnswer, BrokerCall } from "../../contract/broker.ts";
import type { Project } from "../../contract/project.ts";
import type { Control, ControlName, RequestOf } from "../../contract/control.ts";
import type { StopMode } from "../../contract/routes.ts";
import type { ChannelStatus } from "../../contract/notice.ts";
import type { Run } from "../../contract/run.ts";
import type { Task } from "../../contract/task.ts";
import { appendAudit } from "../../store/audit.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { findProject } from "../../store/projects.ts";
import { findRun } from "../../store/runs.ts";
import { findTask } from "../../store/tasks.ts";
import type { Engine } from "../engine.ts";
import type { EngineParts } from "../parts.ts";

/** What a poll of a project's issues came to. */
export interface PollResult {
  readonly created: number;
  readonly ignored: number;
  readonly cancelled: number;
}

/** Changing the home's files as a person would, checked before anything is written. */
export interface Edits {
  /** By its key and a value as it is typed at the command line. Throws `invalid`. Returns warnings. */
  readonly setSetting: (key: string, value: string) => readonly string[];
  /** Undefined: there is none of the name. */
  readonly readWorkflow: (name: string) => { readonly file: string; readonly text: string } | undefined;
  /** Throws `invalid` with the places of what is wrong. Returns the file. */
  readonly writeWorkflow: (name: string, text: string) => string;
}

/** What the API's verbs work with, besides the engine's own parts. */
export interface ControlParts extends EngineParts {
  readonly engine: Engine;
  readonly edits: Edits;
  readonly pollProject: (project: Project, signal: AbortSignal) => Promise<PollResult>;
  /** Checks a webhook's signature and takes in what it points to. False: nothing of ours, or seen before. */
  readonly receiveWebhook: (project: Project, request: RequestOf<"receiveGithubWebhook">) => Promise<boolean>;
  /** Asks the forge in the place of a run's agent. */
  readonly askBroker: (run: Run, call: BrokerCall, signal: AbortSignal) => Promise<BrokerAnswer>;
  /** The channels that alerts are sent to. */
  readonly channels: { channels(): ChannelStatus[]; test(name: string, signal: AbortSignal): Promise<void> };
  readonly daemon: {
    readonly version: string;
    readonly startedAt: number;
    readonly url: () => string;
    readonly status: () => "starting" | "ok" | "degraded" | "stopping";
    readonly problems: () => string[];
    readonly stop: (mode: StopMode) => void;
  };
}

/** The verbs of one part of the API. */
export type Verbs<Name extends ControlName> = Pick<Control, Name>;

export function requireProject(reader: Reader, nameOrId: string): Project {
  const project = findProject(reader, nameOrId);
  if (!project) throw new AppError("not_found", `There is no project ${JSON.stringify(nameOrId)}. List them with: drover project list`);
  return project;
}

export function requireTask(reader: Reader, keyOrId: string): Task {
  const task = findTask(reader, keyOrId);
  if (!task) throw new AppError("not_found", `There is no task ${JSON.stringify(keyOrId)}. List them with: drover task list`);
  return task;
}

export function requireRun(reader: Reader, id: string): Run {
  const run = findRun(reader, id);
  if (!run) throw new AppError("not_found", `There is no run ${JSON.stringify(id)}. List them with: drover run list`);
  return run;
}

/** A change by a person, with its line in the audit log in the same transaction. */
export function audited<Result>(
  parts: ControlParts,
  entry: { actor: string; action: string; subject: string; detail?: Record<string, unknown> },
  change: (tx: Transaction) => Result extends PromiseLike<unknown> ? never : Result,
) {
  return parts.database.write((tx) => {
    const result = change(tx);
    appendAudit(tx, { ...entry, detail: entry.detail ?? {} });
    return result;
  });
}
