import type { ForgeKind, Project } from "../contract/project.ts";
import type { ProjectConfig } from "../contract/config.ts";
import type { GitCredentials } from "../workspace/workspaces.ts";

/** An issue as its forge has it now. Title and body are text from outside: data. */
export interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly url: string;
  readonly open: boolean;
  readonly labels: readonly string[];
  readonly author: string;
  /** GitHub's association of the author to the repository; `OWNER` for the local forge. */
  readonly association: string;
  readonly updatedAt: number;
  /** SHA-256 (hex) of what would be worked on: title and body. A changed label or comment does not change it. */
  readonly contentHash: string;
  /** Comments by people (not ours), oldest first, cut to the last 50; part of what is frozen. */
  readonly comments: readonly { readonly author: string; readonly association: string; readonly body: string; readonly at: number }[];
}

/** The labelled issues, open and closed since, or that nothing changed since `cursor`. Opaque to all but the forge. */
export type IssuePoll =
  | { readonly changed: false }
  | { readonly changed: true; readonly issues: readonly Issue[]; readonly cursor: string };

/** Whether an issue may start work, and who wanted it; `reason` is for people. */
export type Permission = { readonly allowed: boolean; readonly actor: string; readonly reason: string };

export interface ForgeProject {
  readonly project: Project;
  readonly config: ProjectConfig;
}

/**
 * Where issues and pull requests live. Reads throw `unavailable` (with `retryAfterMs` in the details where the forge named
 * it) when the forge did not answer, and `invalid` when it refuses the credentials: never an empty answer for a failed one.
 * Writes look for our hidden marker before they make anything, so that repeating one after a lost answer changes nothing.
 */
export interface Forge {
  readonly kind: ForgeKind;
  poll(target: ForgeProject, cursor: string | null, signal: AbortSignal): Promise<IssuePoll>;
  getIssue(target: ForgeProject, number: number, signal: AbortSignal): Promise<Issue | undefined>;
  mayStart(target: ForgeProject, issue: Issue, signal: AbortSignal): Promise<Permission>;
  /** Makes or edits the one comment at `issue` that holds `marker`. */
  putComment(target: ForgeProject, comment: { issue: number; marker: string; body: string }, signal: AbortSignal): Promise<{ url: string }>;
  /** Opens a pull request from `branch` to `base`, or updates the open one that has this head. */
  putPullRequest(
    target: ForgeProject,
    pull: { branch: string; base: string; title: string; body: string; marker: string },
    signal: AbortSignal,
  ): Promise<{ number: number; url: string }>;
  credentials(target: ForgeProject): GitCredentials;
}
