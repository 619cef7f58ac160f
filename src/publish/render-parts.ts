import type { GateEvidence } from "../contract/gate.ts";
import type { Proof } from "../contract/proof.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { commit, cost, duration, paragraphs, took } from "./figures.ts";
import { codeBlock, codeSpan, quietTitle } from "./quiet-text.ts";
import { gateSaw } from "./render-cycle.ts";

/** A task that a pull request is made of, with what shows how it was done. */
export interface PartView {
  readonly task: Task;
  /** The oldest first. */
  readonly runs: readonly Run[];
}

/** A forge takes some 65,000 characters; the parts have their share of that. */
const EVIDENCE_MAX = 25_000;
const LOG_MAX = 800;

/** The tasks that a pull request is made of, each with the evidence of its runs; empty: it is made of none. */
export function partsBlock(parts: readonly PartView[]): string {
  if (parts.length === 0) return "";
  const rows = parts.map(
    ({ task, runs }) => `| ${codeSpan(task.key)} | ${inCell(task.title)} | ${task.status} | ${runs.length} | ${cost(task.usage)} |`,
  );
  const table = ["| task | what | result | runs | cost |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
  return paragraphs(["## Made of", table, ...fitting(parts.map(evidence))]);
}

/** As many as there is room for; what is left out is said. */
function fitting(evidences: readonly string[]): string[] {
  let left = EVIDENCE_MAX;
  const shown = evidences.filter((one) => (left -= one.length) >= 0);
  if (shown.length === evidences.length) return shown;
  return [...shown, `The evidence of ${evidences.length - shown.length} more is in \`drover task bundle\`.`];
}

function evidence({ task, runs }: PartView): string {
  return paragraphs([`<details><summary>Evidence of ${task.key}</summary>`, ...runs.map(runEvidence), "</details>"]);
}

function runEvidence(run: Run): string {
  const { stage, attempt, outcome } = run;
  const head = `**${stage}**, attempt ${attempt}: ${outcome?.status === "failed" ? codeSpan(outcome.reason) : (outcome?.status ?? "open").replace("_", " ")}, ${took(run)}`;
  const proof = outcome && "proof" in outcome ? outcome.proof : null;
  // Why a gate refused is in what it saw.
  const isSaid = (proof?.gate?.findings.length ?? 0) > 0;
  const message = outcome?.status === "failed" && !isSaid ? quietTitle(outcome.message, LOG_MAX) : "";
  return paragraphs([head, message, proof === null ? "" : proofEvidence(proof)]);
}

function proofEvidence({ baseCommit, headCommit, changes, checks, gate }: Proof): string {
  const ran = checks.map(
    ({ name, base, head, verdict }) =>
      `- ${codeSpan(name)}: exit ${base.exitCode} before, exit ${head.exitCode} after, ${verdict}, ${duration(head.durationMs)}`,
  );
  return paragraphs([
    `${commit(baseCommit)} to ${commit(headCommit)}`,
    ran.join("\n"),
    gate ? gateEvidence(gate) : "",
    changes.length === 0 ? "" : codeBlock(changes.join("\n")),
  ]);
}

/** What the gate of a cycle's stage saw: at red the tests that fail, later that they pass. */
function gateEvidence(evidence: GateEvidence): string {
  const { gate, accepted, tests, counts, diff } = evidence;
  const { passed, failed, skipped } = counts;
  const said = `Gate ${gate} ${accepted ? "accepted" : "refused"}: ${passed} passed, ${failed} failed, ${skipped} skipped; ${diff.files} files, +${diff.added} -${diff.removed}.`;
  const names = tests.slice(0, 10).map(({ name }) => `- ${codeSpan(name)}`);
  return paragraphs([said, names.join("\n"), gateSaw(evidence, LOG_MAX)]);
}

function inCell(text: string): string {
  return quietTitle(text).replaceAll("|", "\\|");
}
