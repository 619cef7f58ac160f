import type { CheckComparison, Proof } from "../contract/proof.ts";
import type { Run, RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { NextStep } from "../domain/next-step.ts";
import { codeBlock, codeSpan, quietMarkdown, quietTitle } from "./quiet-text.ts";

type Succeeded = Extract<RunOutcome, { status: "succeeded" }>;

export interface CommentView {
  readonly task: Task;
  readonly run: Run;
  /** What followed from the run's end; null: it has just begun. */
  readonly next: NextStep | null;
}

export interface PullRequestView {
  readonly task: Task;
  readonly run: Run;
  readonly outcome: Succeeded;
}

/** The one status comment of a task at its issue: where it stands now. */
export function renderComment({ task, run, next }: CommentView): string {
  return [`**Drover** · ${task.key} · ${headline(run, next)}`, ...details(run, next)].join("\n\n");
}

/** A pull request with the proof of done. What the agent and the issue say is quoted as text, so that it can't act as anything else. */
export function renderPullRequest({ task, run, outcome }: PullRequestView): { title: string; body: string } {
  const parts = [
    ...(task.source.kind === "github" && task.source.issue !== null ? [`Closes #${task.source.issue}`] : []),
    ...(outcome.report === "" ? [] : ["### What the agent says", quote(outcome.report)]),
    "### Proof of done",
    renderProof(outcome.proof),
    renderRun(run),
  ];
  return { title: quietTitle(task.title), body: parts.join("\n\n") };
}

function headline(run: Run, next: NextStep | null): string {
  if (next === null) return `started: ${run.agent} is working on it.`;
  switch (next.status) {
    case "succeeded":
      return run.outcome?.status === "no_change" ? "done: here is what it found." : "done: the checks have passed.";
    case "failed":
      return next.reason === "no_change" ? "ended without a change; no pull request was opened." : "failed; its work is kept.";
    case "cancelled":
      return "cancelled; its work is kept.";
    case "queued":
      return `attempt ${run.attempt} ended (${next.reason ?? "unknown"}); it goes on later.`;
  }
}

function details({ outcome, ...run }: Run, next: NextStep | null): string[] {
  if (next === null || outcome === null) return [];
  switch (outcome.status) {
    case "succeeded":
      return [renderProof(outcome.proof), renderRun({ ...run, outcome })];
    case "no_change":
      return outcome.report === "" ? [] : [quote(outcome.report)];
    case "failed":
      return [`Why: ${quietTitle(outcome.message)}`, ...(outcome.proof === null ? [] : [renderProof(outcome.proof)])];
    case "cancelled":
      return [quietTitle(outcome.message)];
  }
}

function renderProof({ baseCommit, headCommit, changes, checks }: Proof): string {
  return [
    checks.length === 0
      ? "No checks are configured for this project, so nothing but the agent's word speaks for this change."
      : [`| check | base \`${baseCommit.slice(0, 10)}\` | result \`${headCommit.slice(0, 10)}\` | |`, "| --- | --- | --- | --- |", ...checks.map(renderCheck)].join("\n"),
    codeBlock(changes.join("\n")),
  ].join("\n\n");
}

const verdicts = {
  passed: "passes",
  fixed: "fixed: failed before",
  known_failure: "failed before, nothing new fails",
  broken: "**broken**: did not fail before",
} as const satisfies Record<CheckComparison["verdict"], string>;

function renderCheck({ command, base, head, verdict, newFailures }: CheckComparison): string {
  const failing = newFailures.slice(0, 10).map((name) => codeSpan(name)).join(", ");
  return `| ${codeSpan(command)} | ${exit(base)} | ${exit(head)} | ${verdicts[verdict]}${failing === "" ? "" : `: ${failing}`} |`;
}

function exit({ exitCode, durationMs }: CheckComparison["base"]): string {
  const seconds = (durationMs / 1000).toFixed(1);
  return exitCode === null ? `cut off after ${seconds} s` : `exit ${exitCode} in ${seconds} s`;
}

function renderRun({ agent, attempt, usage, startedAt, finishedAt }: Run): string {
  const cost = usage.costUsdMicros === null ? "cost not reported" : `$${(usage.costUsdMicros / 1e6).toFixed(2)}`;
  const minutes = finishedAt === null ? "" : ` · ${((finishedAt - startedAt) / 60_000).toFixed(1)} min`;
  const tokens = `${usage.inputTokens + usage.cacheReadTokens} tokens in, ${usage.outputTokens} out`;
  return `<sub>${quietTitle(agent)} · attempt ${attempt}${minutes} · ${tokens} · ${cost} · checked by Drover</sub>`;
}

function quote(report: string): string {
  const text = quietMarkdown(report);
  return text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
}
