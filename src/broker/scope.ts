import { AppError } from "../base/errors.ts";
import type { BrokerCall, BrokerQuery } from "../contract/broker.ts";
import type { Project } from "../contract/project.ts";
import type { Task } from "../contract/task.ts";

export type WriteCall = Extract<BrokerCall, { call: "comment" | "edit_pull" }>;
export type ReadCall = Exclude<BrokerCall, WriteCall>;

/** Throws `invalid` for a call that names another repository than the project's. */
export function requireOwnRepository({ repository }: Pick<BrokerCall, "repository">, project: Project): void {
  const own = project.repository ?? `local/${project.name}`;
  if (repository === null || repository.toLowerCase() === own.toLowerCase()) return;
  throw refused(`This run works on ${own}. Of other repositories, such as ${JSON.stringify(repository)}, it gets nothing.`);
}

/** What to ask the forge for, with the task's own issue, pull request and branch where the call names none. Throws `invalid`. */
export function queryOf(call: ReadCall, task: Task): BrokerQuery {
  switch (call.call) {
    case "repository":
      return { call: call.call };
    case "issue":
    case "comments":
      return { call: call.call, number: call.number ?? ownIssue(task) };
    case "pull":
    case "pull_files":
      return { call: call.call, number: call.number ?? ownPull(task) };
    case "issues":
    case "pulls":
      return { call: call.call, state: call.state, limit: call.limit };
    case "checks":
      return { call: call.call, branch: pushedBranch(task) };
    case "file":
      return { call: call.call, path: plainPath(call.path), ref: call.ref };
  }
}

/** The number of the task's own issue, which a call may name too. Throws `invalid`. */
export function ownIssue({ key, source }: Task, named: number | null = null): number {
  if (source.issue === null) throw refused(`${key} comes from no issue, so there is none to read or to comment on.`);
  if (named !== null && named !== source.issue)
    throw refused(`${key} comes from issue ${source.issue}. Nothing is written at others, such as ${named}.`);
  return source.issue;
}

/** The same of its pull request. */
export function ownPull({ key, pullRequest }: Task, named: number | null = null): number {
  if (pullRequest === null) throw refused(`${key} has no pull request yet: Drover opens it when the work is verified.`);
  if (named !== null && named !== pullRequest.number)
    throw refused(`The pull request of ${key} is ${pullRequest.number}. Nothing is written at others, such as ${named}.`);
  return pullRequest.number;
}

function pushedBranch({ key, branch, pullRequest }: Task): string {
  if (branch === null || pullRequest === null) throw refused(`Nothing of ${key} is pushed yet, so nothing was checked.`);
  return branch;
}

/** A step upwards would ask for something else than a file. */
function plainPath(path: string): string {
  const plain = path.replace(/^\/+/u, "");
  if (plain === "" || plain.split("/").some((name) => name === "." || name === ".."))
    throw refused(`${JSON.stringify(path)} is no path inside the repository.`);
  return plain;
}

export function refused(message: string): AppError {
  return new AppError("invalid", message);
}
