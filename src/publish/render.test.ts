import { describe, expect, test } from "vitest";
import type { CheckComparison, Proof } from "../contract/proof.ts";
import type { Run, RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { renderEnded, renderComment, renderPullRequest, withPullRequest } from "./render.ts";

const usage = { inputTokens: 12_345, outputTokens: 678, cacheReadTokens: 9, costUsdMicros: 123_456 };

const task: Task = {
  id: "task_018f0000-0000-7000-8000-000000000001",
  projectId: "project_018f0000-0000-7000-8000-000000000001",
  project: "api",
  number: 42,
  key: "api#42",
  title: "Fixes #3: greet @everyone",
  body: "",
  contentHash: "0123456789abcdef0123456789abcdef",
  source: { kind: "github", key: "issue:7", issue: 7, url: "https://github.com/acme/api/issues/7", actor: "octocat" },
  workflow: "issue",
  workflowVersion: 1,
  parameters: {},
  delivery: "pull_request",
  status: "running",
  reason: null,
  message: null,
  needs: [],
  stage: "implement",
  priority: 50,
  deadlineAt: null,
  runAfter: 0,
  attempt: 1,
  attemptMax: 3,
  iteration: 1,
  epoch: 1,
  dependsOn: [],
  parentId: null,
  branch: "drover/42-greet",
  pullRequest: null,
  usage,
  createdAt: Date.UTC(2026, 10, 20, 16, 0),
  updatedAt: 0,
  startedAt: null,
  finishedAt: null,
};

const run = {
  id: "run_018f0000-0000-7000-8000-000000000001",
  agent: "claude",
  attempt: 1,
  startedAt: Date.UTC(2026, 10, 20, 16, 21),
  finishedAt: Date.UTC(2026, 10, 20, 16, 25, 3),
  outcome: null,
} as unknown as Run;

function check(change: Partial<CheckComparison> = {}): CheckComparison {
  return {
    name: "test",
    command: "npm test | tee log",
    base: { exitCode: 1, durationMs: 12_000, failures: ["greets"], outputTail: "" },
    head: { exitCode: 0, durationMs: 11_400, failures: [], outputTail: "" },
    verdict: "fixed",
    newFailures: [],
    ...change,
  };
}

const proof: Proof = {
  baseCommit: "a".repeat(40),
  headCommit: "b".repeat(40),
  changes: [" src/greet.ts | 2 +-", " 1 file changed"],
  checks: [check()],
};
const succeeded = { status: "succeeded", proof, report: "It greets now. Closes #1, ping @octocat." } as const;

const next = (status: "succeeded" | "failed" | "cancelled" | "queued", runAfter: number | null = null) => ({
  status,
  runAfter,
});
const ended = (outcome: RunOutcome, then: ReturnType<typeof next>, change: Partial<Task> = {}) =>
  renderComment({ task: { ...task, ...change }, run: { ...run, outcome }, next: then }).replaceAll("\u2060", "·");

describe("a pull request", () => {
  const pull = renderPullRequest({ task, run, outcome: succeeded, cycle: [], parts: [] });

  test("carries the proof of done", () => {
    expect(pull.body.replaceAll("\u2060", "·")).toBe(
      `Closes #7.

It greets now. Clos·es #·1, ping @·octocat.

## Proof of done

Drover ran these commands itself:

| check | command | base \`aaaaaaaaaaaa\` | result \`bbbbbbbbbbbb\` | verdict |
| --- | --- | --- | --- | --- |
| \`test\` | \`npm test \\| tee log\` | exit 1, 12 s | exit 0, 11 s | fixed: failed before |

\`\`\`text
 src/greet.ts | 2 +-
 1 file changed
\`\`\`

| | |
| --- | --- |
| task | \`api#42\` |
| asked for by | \`octocat\` |
| text taken in | 2026-11-20 16:00 UTC, SHA-256 \`0123456789abcdef\` |
| agent | \`claude\` |
| attempt | 1 of 3 |
| duration | 4 min 3 s |
| tokens | 12,345 tokens in, 678 out, 9 from cache |
| cost | $0.12 |
| base | \`${"a".repeat(40)}\` |
| result | \`${"b".repeat(40)}\` |`,
    );
  });

  test("has a title that closes nothing when it becomes a commit's", () => {
    expect(pull.title.replaceAll("\u2060", "·")).toBe("Fix·es #·3: greet @·everyone");
  });

  test("says plainly that nothing was checked", () => {
    const outcome = { ...succeeded, proof: { ...proof, checks: [] } };
    expect(renderPullRequest({ task, run, outcome, cycle: [], parts: [] }).body).toContain("nothing but the agent's word");
  });

  test("of another forge closes nothing by its text", () => {
    const local = { ...task, source: { ...task.source, kind: "local" as const } };
    expect(renderPullRequest({ task: local, run, outcome: succeeded, cycle: [], parts: [] }).body).toMatch(/^For issue 7\.\n/);
    const filed = { ...task, source: { ...task.source, kind: "cli" as const, issue: null } };
    expect(renderPullRequest({ task: filed, run, outcome: succeeded, cycle: [], parts: [] }).body).toMatch(/^Task `api#42`\.\n/);
  });

  test("tells an unreported cost from none", () => {
    const unreported = { ...task, usage: { ...usage, costUsdMicros: null } };
    expect(renderPullRequest({ task: unreported, run, outcome: succeeded, cycle: [], parts: [] }).body).toContain(
      "| cost | cost not reported |",
    );
    const small = { ...task, usage: { ...usage, costUsdMicros: 1234 } };
    expect(renderPullRequest({ task: small, run, outcome: succeeded, cycle: [], parts: [] }).body).toContain("| cost | $0.0012 |");
  });
});

describe("the status comment", () => {
  test("tells of the start", () => {
    expect(renderComment({ task, run, next: null })).toBe(
      `**Drover is working on this** · task \`api#42\` · attempt 1 of 3

Agent \`claude\`, begun 2026-11-20 16:21 UTC.

It works from the text of the issue as it was when the work was taken in. Later edits and comments do not reach it; they lead to a follow-up. To stop it, close the issue or take the label off.`,
    );
  });

  test("tells of the result, its branch and its checks", () => {
    const comment = ended(succeeded, next("succeeded"));
    expect(comment).toMatch(
      /^\*\*Done\*\* · task `api#42` · attempt 1 of 3\n\nBranch `drover\/42-greet` at `bbbbbbbbbbbb`\.\n\nIt greets now\./,
    );
    expect(comment).toContain("| `test` |");
    expect(comment).toMatch(/Agent `claude` · 4 min 3 s · 12,345 tokens in, 678 out, 9 from cache · \$0\.12$/);
  });

  test("gives a plan as it is", () => {
    const plan = { status: "no_change", report: "# Plan\n\n1. Read.\n2. Write." } as const;
    expect(ended(plan, next("succeeded"))).toMatch(/^\*\*Answered\*\*.*\n\n# Plan\n\n1\. Read\.\n2\. Write\.\n\nAgent/);
  });

  test("says when nothing was changed", () => {
    const comment = ended({ status: "no_change", report: "It works already." }, next("failed"));
    expect(comment).toMatch(
      /^\*\*Nothing was changed\*\*.*\n\nThe agent ended without a change, so there is no pull request\. It said:\n\nIt works already\./,
    );
  });

  test("tells of a failure that is tried again", () => {
    const failed: RunOutcome = { status: "failed", reason: "overloaded", message: "529 from @provider", proof: null, retryAt: null };
    expect(ended(failed, next("queued", Date.UTC(2026, 10, 20, 17, 0)))).toMatch(
      /^\*\*Not done yet\*\*.*\n\n`overloaded`: 529 from @·provider\n\nIt is tried again after 2026-11-20 17:00 UTC\.\n\nAgent/,
    );
  });

  test("shows what a broken check printed", () => {
    const broken = check({
      verdict: "broken",
      newFailures: ["adds | up"],
      head: { exitCode: null, durationMs: 600_000, failures: [], outputTail: "not ok\n```\n@octocat" },
    });
    const failed: RunOutcome = {
      status: "failed",
      reason: "check_failed",
      message: "test fails",
      proof: { ...proof, checks: [broken] },
      retryAt: null,
    };
    const comment = ended(failed, next("failed"));
    expect(comment).toMatch(/^\*\*Failed\*\*/);
    expect(comment).toContain("| exit 1, 12 s | cut off after 10 min 0 s | **broken**: did not fail before: `adds \\| up` |");
    expect(comment).toContain("The last lines of `test`:\n\n````text\nnot ok\n```\n@octocat\n````");
  });

  test("tells of a cancellation and that the work is saved", () => {
    expect(ended({ status: "cancelled", by: "source", message: "The issue was closed." }, next("cancelled"))).toBe(
      "**Cancelled** · task `api#42` · attempt 1 of 3\n\nThe issue was closed.\n\nWhat was done so far is saved.",
    );
  });

  test("tells of a cancellation between two runs, in a quiet voice", () => {
    const cancelled = renderEnded({ ...task, message: "Cancelled by @ada." });
    expect(cancelled.replaceAll("\u2060", "·")).toBe(
      "**Cancelled** · task `api#42`\n\nCancelled by @·ada.\n\nWhat was done so far is saved.",
    );
  });

  test("gets the pull request's address as its second paragraph", () => {
    const body = ended(succeeded, next("succeeded"));
    expect(withPullRequest(body, { number: 8, url: "https://github.com/acme/api/pull/8" })).toMatch(
      /^\*\*Done\*\*.*\n\nPull request: https:\/\/github\.com\/acme\/api\/pull\/8\n\nBranch/,
    );
    expect(withPullRequest(body, { number: 8, url: "drover:pulls/8" })).toContain(
      "Pull request: drover:pulls/8 (`git show refs/drover/pulls/8:pull.md`)",
    );
  });
});
