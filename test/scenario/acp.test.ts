import { join } from "node:path";
import { expect, test } from "vitest";
import { TestHome } from "../support/daemon.ts";
import { expectNothingLeft } from "../support/leftovers.ts";
import { openTestModel } from "../support/model-server.ts";
import { makeRepository } from "../support/repository.ts";
import { mendSteps, sumCheck, sumIssue, sumProject } from "../support/sum-project.ts";

const agent = join(import.meta.dirname, "../programs/small-acp-agent.ts");

test("a permission that an agent asks for over ACP is given after the daemon was killed", async () => {
  await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps: mendSteps.slice(1) }] });
  await using home = await TestHome.make({
    agents: { small: { driver: "acp", command: [process.execPath, agent], env: ["MODEL_SOCKET"], permissions: "ask" } },
    defaults: { agent: "small", retryAttempts: 1 },
    checks: [sumCheck],
  });
  home.env["MODEL_SOCKET"] = model.socket;
  const { path } = makeRepository(join(home.folder, "api"), { files: sumProject });
  const first = await home.start();
  await first.client.registerProject({ body: { path } });
  const { id } = await first.client.createTask({ body: { project: "api", title: sumIssue.title, body: sumIssue.body } });
  await first.until(({ type }) => type === "run.question_asked");
  await first.kill();

  const second = await home.start();
  const answered: string[] = [];
  for await (const { type, data, runId } of second.client.streamEvents({ query: { after: 0 } })) {
    if (type === "run.ended") break;
    if (type !== "run.question_asked" || runId === null) continue;
    answered.push(data.tool);
    await second.client.answerRun({ params: { run: runId }, body: { question: data.id, allow: true } });
  }
  expect(answered).toEqual(["Write", "Bash"]);
  const { status, runs } = await second.settledTask("api#1");
  expect({ status, runs: runs.map(({ taskId, outcome }) => [taskId, outcome?.status]) }).toEqual({
    status: "succeeded",
    runs: [[id, "succeeded"]],
  });
  await expectNothingLeft(home, second);
});
