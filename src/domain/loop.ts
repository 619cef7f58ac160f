import type { CheckComparison } from "../contract/proof.ts";
import type { LoopNote, RunOutcome } from "../contract/run.ts";
import type { Stage } from "../contract/workflow.ts";

/** The checks for which a result is not good enough. A loop goes on until all are green; else what failed on the base too does not count. */
export function failingChecks(checks: readonly CheckComparison[], { loop }: Pick<Stage, "loop">): CheckComparison[] {
  return checks.filter(({ verdict, head }) => (loop ? head.exitCode !== 0 : verdict === "broken"));
}

/** What an iteration leaves behind for the next: what it changed, what fails now, and its agent's last words. */
export function notesOf(outcome: RunOutcome, iteration: number): Omit<LoopNote, "at">[] {
  if (outcome.status === "cancelled") return [];
  const isIteration = outcome.status !== "failed" || outcome.reason === "check_failed";
  if (!isIteration) return [];
  const proof = outcome.status === "no_change" ? null : outcome.proof;
  const note = (kind: LoopNote["kind"], text: string, signature: string | null = null) => ({ iteration, kind, text, signature });
  const changes = proof ? proof.changes.join("\n") : "";
  const said = outcome.status === "failed" ? outcome.message : outcome.status === "no_change" ? "Nothing was changed." : "All checks pass.";
  return [
    ...(changes === "" ? [] : [note("change", changes)]),
    note("check", said, signatureOf(outcome)),
    ...(outcome.report ? [note("report", outcome.report)] : []),
  ];
}

/** The same for outcomes that came to the same: equal files, of which the checks say the same. */
function signatureOf(outcome: Exclude<RunOutcome, { status: "cancelled" }>): string {
  if (outcome.status === "no_change") return "no_change";
  const tree = outcome.proof?.tree ?? outcome.proof?.headCommit ?? "";
  return `${tree} ${outcome.status === "failed" ? outcome.message : ""}`;
}

/**
 * How many of the last iterations in a row came to a result that was there before, counting none before `since`. Going back and
 * forth between two results is as little progress as staying at one.
 */
export function unchangedIterations(notes: readonly Pick<LoopNote, "signature">[], since: number): number {
  const signatures = notes.flatMap(({ signature }) => (signature === null ? [] : [signature]));
  let unchanged = 0;
  for (let index = signatures.length - 1; index > 0 && unchanged < since; index--) {
    if (!signatures.slice(0, index).includes(signatures[index] as string)) break;
    unchanged += 1;
  }
  return unchanged;
}

const SHOWN_MAX = 20_000;

/** The notes as a prompt shows them, the oldest first; where they are too long, without the oldest. */
export function shownNotes(notes: readonly LoopNote[]): string[] {
  const shown: string[] = [];
  let length = 0;
  for (const { iteration, kind, text } of notes.toReversed()) {
    length += text.length;
    if (length > SHOWN_MAX) break;
    shown.push(`Iteration ${iteration}, ${TITLES[kind]}:\n${text}`);
  }
  return shown.toReversed();
}

const TITLES: Readonly<Record<LoopNote["kind"], string>> = {
  change: "all that is changed since the base",
  check: "what the checks said",
  report: "its last words",
  told: "what it was told",
  rollback: "gone back to",
};
