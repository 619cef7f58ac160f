import type { GateEvidence } from "../contract/gate.ts";
import { codeBlock, codeSpan, quietTitle } from "./quiet-text.ts";

/** A forge takes some 65,000 characters; a cycle's evidence has its share of that. */
const GATES_MAX = 12;
const LOG_MAX = 1500;

/** What the gates of a task saw, the refused ones too: the tests failing at red, passing later, and how much was changed. Empty: it has no gates. */
export function cycleBlock(gates: readonly GateEvidence[]): string {
  if (gates.length === 0) return "";
  const shown = gates.slice(-GATES_MAX);
  const rows = shown.map(({ gate, accepted, counts, diff, flaky }) => {
    const verdict = accepted ? "accepted" : "**refused**";
    const unsteady =
      flaky.length === 0
        ? ""
        : `, flaky: ${flaky
            .slice(0, 5)
            .map((name) => codeSpan(name, 100))
            .join(", ")}`;
    return `| ${gate} | ${verdict}${unsteady} | ${counts.passed} | ${counts.failed} | ${counts.skipped} | ${diff.files} files, +${diff.added} -${diff.removed} |`;
  });
  const table = ["| gate | verdict | passed | failed | left out | change |", "| --- | --- | --- | --- | --- | --- |", ...rows];
  return ["## Cycle", table.join("\n"), ...shown.map(said)].join("\n\n");
}

function said({ gate, accepted, findings, log }: GateEvidence): string {
  const reasons = findings.slice(0, 10).map(({ rule, message }) => `- ${codeSpan(rule)}: ${quietTitle(message, 300)}`);
  const head = `<details><summary>${gate}, ${accepted ? "accepted" : "refused"}</summary>`;
  return [head, reasons.join("\n"), log === "" ? "" : codeBlock(log.slice(0, LOG_MAX)), "</details>"]
    .filter((part) => part !== "")
    .join("\n\n");
}
