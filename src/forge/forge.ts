import type { BrokerAnswer, BrokerPull, BrokerQuery } from "../contract/broker.ts";
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
  /** Comments by people (not ours, no bot's), oldest first, cut to the last 50; part of what is frozen. Left out for an issue without an intake label. */
  readonly comments: readonly { readonly author: string; readonly association: string; readonly body: string; readonly at: number }[];
}

/**
 * What changed since `cursor` (opaque to all but the forge). `complete`: all open labelled issues are there, so one that is
 * missing was closed, unlabelled or removed; ask for it by its number before concluding anything. Otherwise: every issue
 * that changed, closed and unlabelled ones too; a missing one is as it was. `problems`: issues that are there but can't be read.
 */
export type IssuePoll =
  | { readonly changed: false }
  | {
      readonly changed: true;
      readonly complete: boolean;
      readonly issues: readonly Issue[];
      readonly problems: readonly { readonly issue: number; readonly message: string }[];
      readonly cursor: string;
    };

/** Whether an issue may start work, and who wanted it; `reason` is for people. */
export type Permission = { readonly allowed: boolean; readonly actor: string; readonly reason: string };

export interface PullRequest {
  readonly number: number;
  readonly url: string;
  readonly open: boolean;
}

/**
 * Whether a pull request can be merged now. `merged`, `closed`: it is over. `waiting`: for checks, reviews or a person, as
 * `message` says. `conflict`: not without somebody who resolves it.
 */
export type PullState =
  | { readonly state: "ready" }
  | { readonly state: "merged" }
  | { readonly state: "closed" }
  | { readonly state: "waiting" | "conflict"; readonly message: string };

/** A pull request of ours at the commit that was tested. */
export interface PullToMerge {
  readonly number: number;
  readonly headCommit: string;
}

export interface OutgoingComment {
  readonly issue: number;
  readonly marker: string;
  readonly body: string;
  readonly name?: string;
}

/** `etag`: what to show to be told next time whether it changed; null: nothing. */
export type Reading = { readonly changed: false } | { readonly changed: true; readonly answer: BrokerAnswer; readonly etag: string | null };

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
  /**
   * Reads for an agent, by a single request. Throws `not_found` when there is no such thing, and `invalid` for what this
   * forge can't tell.
   * @param etag of an earlier reading of the same; null: none.
   */
  read(target: ForgeProject, query: BrokerQuery, etag: string | null, signal: AbortSignal): Promise<Reading>;
  /** The ref at the remote that is the head of a pull request. */
  headRef(pull: Pick<BrokerPull, "number" | "head">): string;
  /** Makes or edits the one comment at `issue` that holds `marker`. `name`: which one it is, where it is not the status comment. */
  putComment(target: ForgeProject, comment: OutgoingComment, signal: AbortSignal): Promise<{ url: string }>;
  /**
   * Opens a pull request from `branch` to `base`, or updates the open one of ours that has this head. One that a person
   * closed or merged is left as it is and returned with `open: false`.
   */
  putPullRequest(
    target: ForgeProject,
    pull: { branch: string; base: string; title: string; body: string; marker: string },
    signal: AbortSignal,
  ): Promise<PullRequest>;
  /** Whether it merges pull requests itself. Otherwise moving the base branch is the merge, and `mergePull` only notes it. */
  readonly mergesPulls: boolean;
  /** Whether the pull request can be merged, by what the forge demands. */
  pullState(target: ForgeProject, pull: PullToMerge, signal: AbortSignal): Promise<PullState>;
  /** Merges the pull request if its head is still that commit. Throws `conflict` when it is not, or the forge does not allow it (yet). */
  mergePull(target: ForgeProject, pull: PullToMerge, signal: AbortSignal): Promise<void>;
  credentials(target: ForgeProject): GitCredentials;
}
