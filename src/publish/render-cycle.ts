import type { GateEvidence } from "../contract/gate.ts";
import { paragraphs } from "./figures.ts";
import { codeBlock, codeSpan, quietTitle } from "./quiet-text.ts";

/** A forge takes some 65,000 characters; a cycle's evidence has its share of that. */
const GATES_MAX = 12;
const LOG_MAX = 1500;
const FINDINGS_MAX = 10;
const MESSAGE_MAX = 300;

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

function said(evidence: GateEvidence): string {
  const { gate, accepted } = evidence;
  return paragraphs([
    `<details><summary>${gate}, ${accepted ? "accepted" : "refused"}</summary>`,
    gateSaw(evidence, LOG_MAX),
    "</details>",
  ]);
}

/** Why a gate refused, if it did, and the beginning of what the tests said, where the failures are. */
export function gateSaw({ findings, log }: GateEvidence, logMax: number): string {
  const reasons = findings.slice(0, FINDINGS_MAX).map(({ rule, message }) => `- ${codeSpan(rule)}: ${quietTitle(message, MESSAGE_MAX)}`);
  return paragraphs([reasons.join("\n"), log === "" ? "" : codeBlock(log.slice(0, logMax))]);
}
