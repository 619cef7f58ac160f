import { join } from "node:path";
import { expect, test } from "vitest";
import { TestHome } from "../support/daemon.ts";
import { expectNothingLeft, refsOf, stateOfCheckout } from "../support/leftovers.ts";
import { openTestModel } from "../support/model-server.ts";
import { git, makeRepository } from "../support/repository.ts";
import { mendSteps, sumCheck, sumIssue, sumProject } from "../support/sum-project.ts";
import { THE_WAY, wayOf } from "../support/task-way.ts";

const agent = join(import.meta.dirname, "../programs/small-agent.ts");
const issueFile = ".drover/issues/1-sum-subtracts.md";

test("an issue in a file becomes a branch and a pull request in the same repository, with an agent of one's own", async () => {
  await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps: mendSteps.slice(1) }] });
  await using home = await TestHome.make({
    agents: { small: { driver: "command", command: [process.execPath, agent], env: ["MODEL_SOCKET"] } },
    defaults: { agent: "small" },
    checks: [sumCheck],
  });
  home.env["MODEL_SOCKET"] = model.socket;
  const { path } = makeRepository(join(home.folder, "api"), {
    files: {
      ...sumProject,
      ".drover/.gitignore": "agent.log\n",
      [issueFile]: `---\nlabels: [Claude]\nauthor: ada\n---\n# ${sumIssue.title}\n\n${sumIssue.body}\n`,
    },
    dirty: true,
  });
  const daemon = await home.start();
  const before = seenByPerson(path);
  await daemon.client.registerProject({ body: { path } });
  const task = await daemon.settledTask("api#1");

  const branch = "drover/1-sum-subtracts";
  expect([task.status, task.branch, task.source.actor, task.pullRequest]).toEqual([
    "succeeded",
    branch,
    "ada",
    { number: 1, url: "drover:pulls/1" },
  ]);
  expect(await wayOf(daemon, task)).toEqual(THE_WAY);
  expect(git(path, "diff", "--stat", "main", branch)).toContain("sum.js | 2 +-");
  const head = git(path, "rev-parse", branch);
  const pull = git(path, "show", "refs/drover/pulls/1:pull.md");
  expect(pull).toMatch(/^title: "Sum subtracts"\nbase: "main"\nbranch: "drover\/1-sum-subtracts"$/m);
  expect(pull).toContain(`| result | \`${head}\` |`);
  expect(git(path, "show", "refs/drover/issues/1:status.md")).toMatch(/\*\*Done\*\*[^]*Pull request: drover:pulls\/1/);
  expect(task.usage).toEqual({ inputTokens: 3000, outputTokens: 150, cacheReadTokens: 0, costUsdMicros: 15_000 });

  expect(seenByPerson(path)).toEqual(before);
  expect(refsOf(path)).toEqual([`refs/heads/${branch}`, "refs/heads/main", "refs/drover/issues/1", "refs/drover/pulls/1"].toSorted());
  await expectNothingLeft(home, daemon);
});

/** Their checkout, but for the log of runs, which goes into the folder that they made for us. */
function seenByPerson(path: string) {
  const { status, head, staged, config, files } = stateOfCheckout(path);
  return { status, head, staged, config, files: Object.entries(files).filter(([file]) => !file.endsWith("/.drover/agent.log")) };
}
