import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { startModelServer } from "../../src/demo/model-server.ts";
import { TestHome } from "../support/daemon.ts";
import { makeRepository } from "../support/repository.ts";

/** Its one stage may only look. */
const LOOK = `
name: look
stages:
  - { name: look, prompt: "{{> request}}", yields: report, tools: [read, list] }
`;
const WRITE: ModelStep = { calls: [{ kind: "tool", tool: "write", input: { path: "a.txt", content: "a" } }] };
const LIMITED: ModelStep = { trouble: { kind: "error", status: 429, headers: { "retry-after": "3600" } } };

test("our own agent is held to its stage's tools, what it used is counted, and a usage limit makes its task wait", async () => {
  const scenarios = [
    { when: "TASK-A", steps: [WRITE, { text: "I may not." }] },
    { when: "TASK-B", steps: [LIMITED] },
  ];
  await using model = await startModelServer({ script: { scenarios }, listen: { port: 0 }, clock: systemClock });
  await using home = await TestHome.make({
    agents: { mine: { driver: "builtin", model: "mock/small-1", usdPerMillionTokens: { input: 1, output: 10, cacheRead: 0 } } },
    providers: { mock: { kind: "anthropic", baseUrl: `${model.address}/v1`, keyVariable: "MOCK_MODEL_CODE" } },
    defaults: { agent: "mine" },
  });
  home.env["MOCK_MODEL_CODE"] = "the-key-of-the-provider";
  await mkdir(join(home.home, "workflows"));
  await writeFile(join(home.home, "workflows", "look.yaml"), LOOK);
  const daemon = await home.start();
  const { path } = makeRepository(join(home.folder, "api"), { files: { "README.md": "api\n" } });
  await daemon.client.registerProject({ body: { path, name: "api" } });

  await daemon.client.createTask({ body: { project: "api", title: "TASK-A", workflow: "look" } });
  const looked = await daemon.settledTask("api#1");
  const [run] = looked.runs;
  expect([looked.status, looked.message]).toEqual(["succeeded", null]);
  expect(run?.usage).toEqual({ inputTokens: 2000, outputTokens: 100, cacheReadTokens: 0, costUsdMicros: 3000 });
  expect(model.journal.map(({ headers }) => headers["x-api-key"])).toEqual(["the-key-of-the-provider", "the-key-of-the-provider"]);
  const { items } = await daemon.client.listRunHooks({ params: { run: run?.id ?? "" }, query: { limit: 500, category: "error" } });
  expect(items.filter(({ source }) => source === "agent")).toMatchObject([
    {
      name: "PermissionDenied",
      tool: "write",
      detail: { message: "The tool write is not allowed at this stage. Allowed are: read, list." },
    },
  ]);

  await daemon.client.createTask({ body: { project: "api", title: "TASK-B", workflow: "look" } });
  const waiting = async () => (await daemon.client.getTask({ params: { task: "api#2" } })).reason;
  await expect.poll(waiting, { timeout: 60_000 }).toBe("usage_limit");
  const task = await daemon.client.getTask({ params: { task: "api#2" } });
  expect(task.status).toBe("queued");
  expect(task.runs.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
    [1, expect.objectContaining({ status: "failed", reason: "usage_limit", message: "The provider answered 429: scripted error" })],
  ]);
  expect((task.runAfter ?? 0) - Date.now()).toBeGreaterThan(3_000_000);
  expect(await daemon.stop()).toBe(0);
});
