import { AppError } from "../../base/errors.ts";
import type { Branch } from "../../contract/branch.ts";
import type { Project } from "../../contract/project.ts";
import type { Forge, ForgeProject } from "../../forge/forge.ts";
import { raiseAlert } from "../../store/alerts.ts";
import { settleBranch } from "../../store/branches.ts";
import { listEffects } from "../../store/effects.ts";
import type { GitCredentials } from "../../workspace/workspaces.ts";
import type { EngineParts } from "../parts.ts";
import type { CommitChecker } from "./commit-checker.ts";

/** A project whose finished branches are looked after, with what that takes. */
export interface Scene extends ForgeProject {
  readonly parts: EngineParts;
  readonly checker: CommitChecker;
  readonly forge: Forge;
  readonly credentials: GitCredentials;
  readonly signal: AbortSignal;
}

/** Of a branch that Drover leaves alone from now on. */
const BRANCH_LEFT = "branch_left";

/** Throws `invalid` while the project's settings are unknown. */
export function openScene(parts: EngineParts, checker: CommitChecker, project: Project, signal: AbortSignal): Scene {
  if (!parts.settings.isKnown(project))
    throw new AppError(
      "invalid",
      `The configuration file of ${project.name} has an error, so its branches are left alone: drover config validate`,
    );
  const config = parts.settings.forProject(project);
  const forge = parts.forges[project.forge];
  return { parts, checker, project, config, forge, credentials: forge.credentials({ project, config }), signal };
}

/** Where a finished branch is. `ready`: at the remote as we pushed it, and the forge has nothing against a merge. */
export type Standing =
  | { readonly state: "ready" }
  /** What is to be pushed or opened for it is not there yet. */
  | { readonly state: "unpublished" }
  | { readonly state: "waiting"; readonly message: string }
  | { readonly state: "conflict"; readonly message: string }
  /** Merged, closed, or left alone: nothing more is to be done about it. */
  | { readonly state: "settled" };

/** Asks the forge and the remote, and settles a branch that needs no care any more. An answer that does not come is an error, never a no. */
export async function standingOf(scene: Scene, branch: Branch, base: string): Promise<Standing> {
  const { parts, project, forge, credentials, signal } = scene;
  if (listEffects(parts.database.reader, branch.taskId).some(({ status }) => status === "pending")) return { state: "unpublished" };
  if (await parts.branches.isIn(project, branch.headCommit, base)) return settle(scene, branch, "merged", null);
  const pull =
    branch.pullRequest === null
      ? ({ state: "ready" } as const)
      : await forge.pullState(scene, { number: branch.pullRequest.number, headCommit: branch.headCommit }, signal);
  if (pull.state === "merged") return settle(scene, branch, "merged", null);
  if (pull.state === "closed") return settle(scene, branch, "closed", "Its pull request was closed.");
  const sight = await parts.branches.look(project, credentials, branch.name, signal);
  if (sight.state === "gone") return leave(scene, branch, "it was deleted at the remote");
  if (sight.state === "foreign") return leave(scene, branch, "somebody else has pushed to it");
  if (sight.commit !== branch.headCommit) return leave(scene, branch, "its newest commit could not be pushed");
  return pull;
}

/** Leaves a branch as it is, and tells a person why. */
async function leave(scene: Scene, branch: Branch, why: string): Promise<Standing> {
  const message = `The branch ${branch.name} of ${branch.taskKey} is left alone: ${why}. Look at it, and merge or close its pull request yourself.`;
  const { projectId, taskId, taskKey } = branch;
  await scene.parts.database.write((tx) => {
    if (settleBranch(tx, branch, "left", message)) raiseAlert(tx, { kind: BRANCH_LEFT, subject: taskKey, message, projectId, taskId });
  });
  return { state: "settled" };
}

async function settle({ parts }: Scene, branch: Branch, state: "merged" | "closed", message: string | null): Promise<Standing> {
  await parts.database.write((tx) => settleBranch(tx, branch, state, message));
  return { state: "settled" };
}
