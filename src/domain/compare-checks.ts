import type { CheckComparison, CheckResult, CheckVerdict } from "../contract/proof.ts";

type Judgement = { readonly verdict: CheckVerdict; readonly newFailures: string[] };

/** From here on an exit code tells of a command that could not be run or was killed, not of what it found. */
const NOT_A_FINDING = 126;

/** So that a proof stays readable; what is cut counts all the same. */
const NEW_FAILURES_MAX = 50;

/**
 * What a check says of a change: the same command on the base and on the result. Red on both sides is forgiven only where
 * it can be told that nothing new fails; whatever can't be told is `broken`:
 * - The head did not end within its time limit, whatever the base did: nobody knows what it would have found.
 * - The base did not end, and the head is red: there is nothing to compare with.
 * - Failing tests could be read on the head: those that the base did not have are new. When nothing is new but the exit
 *   code is another one, that has to come from fewer failures.
 * - None could be read: exit code and output have to be those of the base, but for durations, times, line numbers, addresses and order.
 */
export function compareCheck(name: string, command: string, base: CheckResult, head: CheckResult): CheckComparison {
  const { verdict, newFailures } = judge(base, head);
  return { name, command, base, head, verdict, newFailures: newFailures.slice(0, NEW_FAILURES_MAX) };
}

function judge(base: CheckResult, head: CheckResult): Judgement {
  if (head.exitCode === 0) return { verdict: base.exitCode === 0 ? "passed" : "fixed", newFailures: [] };
  const newFailures = surplus(head.failures.map(withoutPosition), base.failures.map(withoutPosition));
  if (head.exitCode === null || base.exitCode === null || base.exitCode === 0) return { verdict: "broken", newFailures };
  if (head.failures.length === 0) return compareOutputs(base, head);
  const isKnown = newFailures.length === 0 && isExplained(base, head);
  return { verdict: isKnown ? "known_failure" : "broken", newFailures };
}

/** Some test runners exit with the number of failures: another code is all right when there are fewer. */
function isExplained(base: CheckResult, head: CheckResult): boolean {
  if (head.exitCode === base.exitCode) return true;
  return head.failures.length < base.failures.length && (head.exitCode ?? NOT_A_FINDING) < NOT_A_FINDING;
}

function compareOutputs(base: CheckResult, head: CheckResult): Judgement {
  const before = comparableLines(base.outputTail);
  const now = comparableLines(head.outputTail);
  const newFailures = surplus(now, before);
  // A head that prints less may have died before it came to what else is wrong: only the whole, unchanged output is known.
  const isSame = newFailures.length === 0 && now.length === before.length && now.length > 0;
  const isKnown = isSame && head.exitCode === base.exitCode && base.failures.length === 0;
  return { verdict: isKnown ? "known_failure" : "broken", newFailures };
}

/** What is in `list` more often than in `known`, in the order of `list`. */
function surplus(list: readonly string[], known: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const one of known) left.set(one, (left.get(one) ?? 0) + 1);
  return list.filter((one) => {
    const count = left.get(one) ?? 0;
    left.set(one, count - 1);
    return count <= 0;
  });
}

/** The name of a failure without the line it stands at and the time it took: both move with every edit. */
function withoutPosition(failure: string): string {
  return failure
    .replace(/\s*\(\d+(?:\.\d+)? ?(?:ms|s)\)$/, "")
    .replace(/(\.\w+):\d+(?::\d+)?/g, "$1")
    .trim();
}

function comparableLines(output: string): string[] {
  return output
    .split("\n")
    .map((line) =>
      line
        .replace(/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)?/g, "<time>")
        .replace(/\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?/g, "<time>")
        .replace(/\b\d+(?:[.,]\d+)? ?(?:ns|µs|us|ms|secs?|seconds?|s|min|minutes?|m)\b/g, "<time>")
        .replace(/\b0x[0-9a-f]+\b/gi, "<address>")
        .replace(/:\d+(?::\d+)?/g, ":<line>")
        .replace(/\bline \d+/gi, "line <line>")
        .replace(/\(\d+, ?\d+\)/g, "(<line>)")
        .trim(),
    )
    .filter((line) => line !== "");
}
