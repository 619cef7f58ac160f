import type { GateEvidence } from "../contract/gate.ts";
import type { CheckComparison, Proof } from "../contract/proof.ts";
import type { Report } from "../contract/report.ts";
import type { Run, RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { NextStep } from "../domain/next-step.ts";
import { commit, cost, duration, paragraphs, time, tokens, took } from "./figures.ts";
import { cycleBlock } from "./render-cycle.ts";
import { partsBlock, type PartView } from "./render-parts.ts";
import { codeBlock, codeSpan, quietMarkdown, quietTitle } from "./quiet-text.ts";

export interface CommentView {
  readonly task: Task;
  /** With its outcome, once it has one. */
  readonly run: Run;
  /** What followed from the run's end; null: it has just begun. */
  readonly next: Pick<NextStep, "status" | "runAfter"> | null;
}

export interface PullRequestView {
  readonly task: Task;
  readonly run: Run;
  readonly outcome: Extract<RunOutcome, { status: "succeeded" }>;
  /** What the gates of its stages saw, the oldest first. */
  readonly cycle: readonly GateEvidence[];
  /** The tasks that it was made of, in the order of their making. */
  readonly parts: readonly PartView[];
}

const OUTPUT_TAIL_MAX = 4000;
const MESSAGE_MAX = 1000;

/** The Markdown of the one status comment of a task: where it stands now. Whatever comes from outside is in it without a voice (`quiet-text.ts`). */
export function renderComment(view: CommentView): string {
  const { task, run, next } = view;
  const head = `**${headline(view)}** · task ${codeSpan(task.key)} · attempt ${run.attempt} of ${task.attemptMax}`;
  return paragraphs([head, ...(next === null ? startedParts(run) : endedParts(task, run, next))]);
}

/** The same of a task that was cancelled, or failed, between two runs. */
export function renderEnded({ key, status, message }: Pick<Task, "key" | "status" | "message">): string {
  return paragraphs([
    `**${status === "failed" ? "Failed" : "Cancelled"}** · task ${codeSpan(key)}`,
    quietTitle(message ?? "", MESSAGE_MAX),
    "What was done so far is saved.",
  ]);
}

/** The comment with a line about the pull request, whose address is known only after it was opened. */
export function withPullRequest(comment: string, pullRequest: NonNullable<Task["pullRequest"]>): string {
  return withSecondParagraph(comment, `Pull request: ${pullRequest.url}${howToRead(pullRequest)}`);
}

/** The comment when there should be a pull request and is none. */
export function withoutPullRequest(comment: string): string {
  return withSecondParagraph(comment, "**The pull request could not be opened.** Drover's alerts say why; the work is saved.");
}

/** Title and Markdown body of a pull request, with the proof of done. */
export function renderPullRequest({ task, run, outcome, cycle, parts }: PullRequestView): { title: string; body: string } {
  const body = paragraphs([
    requestLine(task),
    quietMarkdown(outcome.report),
    "## Proof of done",
    checksTable(outcome.proof),
    changesBlock(outcome.proof),
    partsBlock(parts),
    factsTable(task, run, outcome.proof),
    cycleBlock(cycle),
  ]);
  return { title: quietTitle(task.title), body };
}

/** The body with what the agent wants it to say, behind the line that names the request. */
export function withNote(body: string, note: string | null): string {
  return note === null ? body : withSecondParagraph(body, quietMarkdown(note));
}

/** What was concluded of a change, as Markdown for its pull request. The publisher takes the voice out of it. */
export function renderReport({ verdict, summary, byTaskKey }: Report, written: string): string {
  const head = verdict === "clear" ? "**Reviewed: nothing to object to**" : "**Reviewed: something is to be seen to**";
  return paragraphs([`${head} · task ${codeSpan(byTaskKey)}`, summary, written]);
}

function headline({ run: { outcome }, next }: CommentView): string {
  switch (next?.status) {
    case undefined:
      return "Drover is working on this";
    case "succeeded":
      return outcome?.status === "succeeded" ? "Done" : "Answered";
    case "failed":
      return outcome?.status === "no_change" ? "Nothing was changed" : "Failed";
    case "cancelled":
      return "Cancelled";
    case "queued":
      return outcome?.status === "failed" || outcome?.status === "cancelled" ? "Not done yet" : "Going on";
    case "blocked":
      return outcome?.status === "failed" ? "Needs a person" : "Waiting for approval";
  }
}

function startedParts(run: Run): string[] {
  return [
    `Agent ${codeSpan(run.agent)}, begun ${time(run.startedAt)}.`,
    "It works from the text of the issue as it was when the work was taken in. Later edits and comments do not reach it; they lead to a follow-up. To stop it, close the issue or take the label off.",
  ];
}

function endedParts(task: Task, run: Run, next: NonNullable<CommentView["next"]>): string[] {
  const { outcome } = run;
  switch (outcome?.status) {
    case undefined:
      return [];
    case "succeeded":
      return [branchLine(task, outcome.proof), quietMarkdown(outcome.report), checksTable(outcome.proof), statistics(task, run)];
    case "no_change": {
      const introduction = next.status === "failed" ? "The agent ended without a change, so there is no pull request. It said:" : "";
      return [introduction, quietMarkdown(outcome.report), statistics(task, run)];
    }
    case "cancelled":
      return [quietTitle(outcome.message, MESSAGE_MAX), continuation(next), "What was done so far is saved."];
    case "failed": {
      const why = `${codeSpan(outcome.reason)}: ${quietTitle(outcome.message, MESSAGE_MAX)}`;
      return [why, continuation(next), outcome.proof === null ? "" : failedChecks(outcome.proof), statistics(task, run)];
    }
  }
}

function continuation({ status, runAfter }: NonNullable<CommentView["next"]>): string {
  if (status !== "queued") return "";
  return runAfter === null ? "It is tried again." : `It is tried again after ${time(runAfter)}.`;
}

function requestLine({ source, key }: Task): string {
  if (source.issue === null) return `Task ${codeSpan(key)}.`;
  return source.kind === "github" ? `Closes #${source.issue}.` : `For issue ${source.issue}.`;
}

function branchLine({ branch }: Task, { headCommit }: Proof): string {
  return branch === null ? "" : `Branch ${codeSpan(branch)} at ${commit(headCommit)}.`;
}

/** Each check with what it did on the base and on the result. */
function checksTable({ checks, baseCommit, headCommit }: Proof): string {
  if (checks.length === 0) return "No check is configured for this project, so nothing but the agent's word says that this works.";
  const rows = checks.map((check) => {
    const { name, command, base, head } = check;
    return `| ${codeSpan(name)} | ${codeSpan(command)} | ${ended(base)} | ${ended(head)} | ${verdict(check)} |`;
  });
  return [
    "Drover ran these commands itself:",
    "",
    `| check | command | base ${commit(baseCommit)} | result ${commit(headCommit)} | verdict |`,
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

function ended({ exitCode, durationMs }: CheckComparison["base"]): string {
  return exitCode === null ? `cut off after ${duration(durationMs)}` : `exit ${exitCode}, ${duration(durationMs)}`;
}

const verdicts = {
  passed: "passed",
  fixed: "fixed: failed before",
  known_failure: "failed before too, nothing new fails",
  broken: "**broken**: did not fail before",
} as const satisfies Record<CheckComparison["verdict"], string>;

function verdict({ verdict: word, newFailures }: CheckComparison): string {
  const names = newFailures.slice(0, 10).map((name) => codeSpan(name, 100));
  return names.length === 0 ? verdicts[word] : `${verdicts[word]}: ${names.join(", ")}`;
}

function failedChecks(proof: Proof): string {
  const tails = proof.checks
    .filter((check) => check.verdict === "broken")
    .map((check) => `The last lines of ${codeSpan(check.name)}:\n\n${codeBlock(check.head.outputTail.slice(-OUTPUT_TAIL_MAX))}`);
  return paragraphs([checksTable(proof), ...tails]);
}

function changesBlock({ changes }: Proof): string {
  return changes.length === 0 ? "" : codeBlock(changes.join("\n"));
}

function factsTable(task: Task, run: Run, proof: Proof): string {
  const facts: (readonly [string, string])[] = [
    ["task", codeSpan(task.key)],
    ["asked for by", codeSpan(task.source.actor ?? "unknown")],
    ["text taken in", `${time(task.createdAt)}, SHA-256 ${codeSpan(task.contentHash.slice(0, 16))}`],
    ["agent", codeSpan(run.agent)],
    ["attempt", `${run.attempt} of ${task.attemptMax}`],
    ["duration", took(run)],
    ["tokens", tokens(task.usage)],
    ["cost", cost(task.usage)],
    ["base", commit(proof.baseCommit, 40)],
    ["result", commit(proof.headCommit, 40)],
  ];
  return ["| | |", "| --- | --- |", ...facts.map(([name, value]) => `| ${name} | ${value} |`)].join("\n");
}

function statistics(task: Task, run: Run): string {
  return `Agent ${codeSpan(run.agent)} · ${took(run)} · ${tokens(task.usage)} · ${cost(task.usage)}`;
}

function howToRead({ number, url }: NonNullable<Task["pullRequest"]>): string {
  return url.startsWith("drover:") ? ` (${codeSpan(`git show refs/drover/pulls/${number}:pull.md`)})` : "";
}

function withSecondParagraph(text: string, second: string): string {
  const [first = "", ...rest] = text.split("\n\n");
  return paragraphs([first, second, ...rest]);
}
