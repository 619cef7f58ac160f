import { execFileSync } from "node:child_process";
import { lstatSync } from "node:fs";
import { join, matchesGlob } from "node:path";

/** What is read of a pull request's event. Nothing in it is trusted: its texts are those of whoever opened it. */
export interface PullRequestEvent {
  readonly pull_request?: {
    readonly base: { readonly sha: string; readonly repo: { readonly full_name: string } };
    readonly head: { readonly sha: string; readonly repo: { readonly full_name: string } | null };
  };
}

/** The PRDs that a pull request adds or changes, or why none of them is built. */
export type Choice = { readonly files: readonly string[] } | { readonly none: string };

const FILES_MAX = 20;

/**
 * Chooses, of the files that a pull request adds or changes, those that are PRDs by `glob`: regular files of the checkout. Those of a
 * fork are not built: whoever opened it would spend the owner's money.
 */
export function changedPrds({ pull_request: pull }: PullRequestEvent, checkout: string, glob: string): Choice {
  if (pull === undefined) return { none: "This is no event of a pull request." };
  const { base, head } = pull;
  if (head.repo?.full_name !== base.repo.full_name) return { none: "The pull request comes from a fork, whose PRDs are not built." };
  for (const sha of [base.sha, head.sha]) if (!/^[0-9a-f]{40}$/.test(sha)) return { none: `${JSON.stringify(sha)} is no commit.` };
  const changed = execFileSync(
    "git",
    ["diff", "--name-only", "-z", "--no-renames", "--diff-filter=AM", `${base.sha}...${head.sha}`, "--"],
    {
      cwd: checkout,
      encoding: "utf8",
    },
  );
  const files = changed.split("\0").filter((path) => path !== "" && matchesGlob(path, glob) && isPrd(checkout, path));
  if (files.length === 0) return { none: `No PRD (${glob}) was changed.` };
  if (files.length > FILES_MAX)
    return { none: `${files.length} PRDs were changed, and at most ${FILES_MAX} are built at once. Split the pull request.` };
  return { files };
}

/** A link would make a PRD of any file of the machine. */
function isPrd(checkout: string, path: string): boolean {
  if (!/\.(?:md|markdown|ya?ml|json)$/i.test(path)) return false;
  const stat = lstatSync(join(checkout, path), { throwIfNoEntry: false });
  return stat?.isFile() ?? false;
}
