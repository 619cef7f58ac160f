import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { Event } from "../../src/contract/event.ts";
import { GithubScene } from "../support/github-scene.ts";
import { needs } from "../support/needs.ts";
import { COMPLETE, openObeyingScene } from "../support/obeying-scene.ts";
import { git } from "../support/repository.ts";
import { endsWith, verdictReport } from "../support/verdicts.ts";

vi.setConfig({ testTimeout: 300_000 });

const SUMMARY = "It leads \u001b[31mout <script>of it</script>.";
const FINDING = {
  title: "A link",
  severity: "problem",
  detail: "```\n.drover-material\n```\n--- end of request ---",
  key: "link-out",
} as const;

/** What the events tell of a task's way, a word each. */
function wayOf(events: readonly Event[], taskId: string): string[] {
  return events
    .filter((event) => event.taskId === taskId)
    .flatMap((event) => {
      if (event.type === "task.created") return [event.data.status];
      if (event.type === "run.started") return [`${event.data.stage} starts`];
      if (event.type === "task.stage_changed") return [`${event.data.from} complete`];
      return event.type === "task.status_changed" && event.data.to === "succeeded" ? ["complete"] : [];
    });
}

test("a pull request is reviewed, reported and judged, one agent after the other, and the conclusion is written there", async () => {
  await using scene = await openObeyingScene({
    defaults: { retryAttempts: 2, retryDelayMs: 1 },
    workspace: { setup: "test ! -f nice.txt" },
  });
  const daemon = await scene.home.start();
  const { client } = daemon;
  await client.registerProject({ body: { path: scene.path, name: "api" } });
  await client.createTask({ body: { project: "api", title: "Be nice" } });
  await scene.order(`echo nice >nice.txt; ln -s / .drover-material; ${COMPLETE}`);
  const made = await daemon.settledTask("api#1");
  expect(made.pullRequest?.number).toBe(1);

  for (const [parameters, why] of [
    [{}, "Say what is to be looked at: pr=NUMBER, or branch=NAME."],
    [{ pr: "1", branch: "main" }, "Say what is to be looked at: pr=NUMBER, or branch=NAME."],
    [{ pr: "one" }, 'pr is "one", which is no number of a pull request.'],
  ] as const) {
    const refused = client.createTask({ body: { project: "api", title: "x", workflow: "review", parameters } });
    await expect(refused).rejects.toMatchObject({ code: "invalid", message: why });
  }
  const task = await client.createTask({ body: { project: "api", title: "Review it", workflow: "review", parameters: { pr: "1" } } });
  // The agent tells what it sees: the head, the file of the change, what was put there, and that git holds none of that for its work.
  const seen =
    "$(git rev-parse HEAD) $(cat nice.txt) $(ls .drover-material) $(grep -c '^+nice' .drover-material/change.diff) $(git status --short)";
  await scene.order(`printf '{"type":"turn_ended","verdict":{"ok":true},"report":"%s"}\\n' "$(echo ${seen})"; exit 0`);
  await scene.order(endsWith("It is *nice*, see @octocat."));
  await scene.order(endsWith("I forgot the block."));
  await daemon.until((event) => event.type === "task.stage_changed" && event.data.to === "supervise");
  await expect.poll(async () => (await client.listWorkers()).items.map(({ kind }) => kind), { timeout: 60_000 }).toContain("supervisory");
  await scene.order(endsWith(verdictReport({ verdict: "issue", summary: SUMMARY, findings: [FINDING] })));
  const reviewed = await daemon.settledTask("api#2");
  expect([reviewed.status, reviewed.reason, reviewed.message]).toEqual(["succeeded", "issue", "It leads out <script>of it</script>."]);
  const events = await daemon.until((event) => event.type === "effect.done" && event.taskId === task.id);
  expect(wayOf(events, task.id)).toEqual([
    "queued",
    "review starts",
    "review complete",
    "report starts",
    "report complete",
    "supervise starts",
    "supervise starts",
    "complete",
  ]);
  const head = git(scene.path, "rev-parse", made.branch ?? "");
  expect(reviewed.runs.toReversed().map(({ kind, outcome }) => [kind, outcome])).toMatchObject([
    ["worker", { report: `${head} nice change.diff change.json 1 D .drover-material` }],
    ["worker", { report: "It is *nice*, see @octocat." }],
    ["supervisory", { status: "failed", reason: "check_failed", message: "The report ends without a block ```yaml with the verdict." }],
    ["supervisory", { status: "no_change" }],
  ]);

  const { items } = await client.listReports({ query: { task: "api#2" } });
  expect(items).toEqual([
    {
      id: expect.stringMatching(/^report_/),
      at: expect.any(Number),
      scope: "task",
      subject: "api#2",
      taskId: task.id,
      projectId: task.projectId,
      project: "api",
      byTaskId: task.id,
      byTaskKey: "api#2",
      runId: reviewed.runs[0]?.id,
      stage: "supervise",
      kind: "supervisory",
      verdict: "issue",
      summary: SUMMARY,
      findings: [FINDING],
      actions: [],
    },
  ]);
  const alerts = await client.listAlerts({ query: { open: true } });
  expect(alerts.items.map(({ kind, subject, message }) => [kind, subject, message])).toEqual([
    ["supervision_issue", "api#2", `api#2: It leads out <script>of it</script>. Found by api#2: drover report show ${items[0]?.id ?? ""}`],
  ]);
  const comments = git(scene.path, "for-each-ref", "--format=%(refname)", "refs/drover/comments/1").trim().split("\n");
  expect(comments).toHaveLength(1);
  const comment = git(scene.path, "show", `${comments[0] ?? ""}:comment.md`);
  expect(comment).toContain("**Reviewed: something is to be seen to**");
  expect(comment).toContain("It is *nice*, see");
  // Nobody is called, and no markup of its own is left.
  for (const alive of ["@octocat", "<script>", "\u001b"]) expect(comment).not.toContain(alive);
});

test.skipIf(!needs("git-http-backend").ok)("a pull request of GitHub's, from somebody else's repository, gets one comment", async () => {
  const program = join(import.meta.dirname, "../programs/does-its-order.sh");
  await using scene = await GithubScene.open({
    config: { agents: { orders: { driver: "command", command: ["sh", program] } }, defaults: { agent: "orders" } },
  });
  const { repository } = scene;
  await repository.commit({ branch: "theirs", files: { "theirs.txt": "theirs\n" }, message: "Theirs" });
  const { number } = repository.openPull({ title: "Take theirs", author: "stranger", head: "theirs", base: "main" });
  // GitHub keeps a ref for each pull request; the branch itself is in a fork.
  git(repository.path, "update-ref", `refs/pull/${number}/head`, "refs/heads/theirs");
  git(repository.path, "update-ref", "-d", "refs/heads/theirs");
  const daemon = await scene.home.start();
  await scene.register(daemon);
  const order = `test -f theirs.txt && ${endsWith(verdictReport({}, "Nothing is wrong with it."))}`;
  const parameters = { pr: String(number) };
  await daemon.client.createTask({ body: { project: "api", title: "Review it", body: `ORDER: ${order}`, workflow: "review", parameters } });
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.reason, task.message]).toEqual(["succeeded", null, null]);
  expect(repository.issue(number).comments.map(({ author, body }) => [author, body])).toEqual([
    [
      "drover-bot",
      expect.stringMatching(/\*\*Reviewed: nothing to object to\*\*[^]*It is as it should be\.[^]*Nothing is wrong with it\./),
    ],
  ]);
});
