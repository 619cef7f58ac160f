import { afterEach, beforeEach, expect, test } from "vitest";
import { Broker } from "../../src/broker/broker.ts";
import { BrokerCall } from "../../src/contract/broker.ts";
import { Config } from "../../src/contract/config.ts";
import type { Run } from "../../src/contract/run.ts";
import { GithubForge } from "../../src/forge/github/github-forge.ts";
import { LocalForge } from "../../src/forge/local/local-forge.ts";
import { listAudit } from "../../src/store/audit.ts";
import { enqueueEffect } from "../../src/store/effects.ts";
import { setBranch } from "../../src/store/tasks.ts";
import { finishRun } from "../../src/store/transitions.ts";
import { gitEnv } from "../support/git-http.ts";
import { PublishWorld } from "../support/publish-world.ts";
import { sampleConfig } from "../support/samples.ts";
import { addTask, content, startTask, step } from "../support/scratch-database.ts";

const { signal } = new AbortController();
const branch = "drover/1-one";

let world: PublishWorld;
let broker: Broker;
let issue: number;
let run: Run;

beforeEach(async () => {
  world = await PublishWorld.open();
  const { clock, database } = world.scratch;
  const redact = (text: string) => text.replaceAll("hunter2", "[redacted]");
  broker = new Broker({
    clock,
    database,
    redact,
    forges: {
      github: new GithubForge({ clock, redact, tokens: (variable) => world.tokens[variable] }),
      local: new LocalForge({ clock, redact, env: gitEnv }),
    },
    settings: {
      current: () => Config.parse({}),
      forProject: ({ name }) => world.configs.get(name) ?? sampleConfig(),
      isKnown: ({ name }) => world.configs.has(name),
    },
  });
  issue = world.api.openIssue({ title: "One", body: "The password is hunter2.\u202e" });
  const source = { kind: "github", key: `issue:${issue}`, issue, url: null, actor: "owner" } as const;
  const { id } = addTask(database, world.project.id, { source });
  database.writeNow((tx) => setBranch(tx, id, branch));
  run = startTask(database, id);
});
afterEach(() => world[Symbol.asyncDispose]());

const ask = (call: object) => broker.ask(run, BrokerCall.parse(call), signal);
const asked = () => world.github.requests.map(({ path, status }) => [path.replace("/repos/acme/api", ""), status]);

/** As after work that was delivered before. */
async function openPull(): Promise<number> {
  const { database } = world.scratch;
  await world.api.commit({ branch, message: "Work", files: { "a.txt": "a\n" } });
  const { taskId, projectId, epoch } = run;
  const payload = { kind: "pull_request", branch, base: "main", title: "One", body: "Closes it.\n\n## Proof" } as const;
  database.writeNow((tx) => enqueueEffect(tx, { taskId, projectId, epoch, payload }));
  await world.publisher.runOnce();
  return world.api.pulls()[0]?.number ?? 0;
}

test("what is read comes without secrets and without what hides, and is asked for anew only when it may have changed", async () => {
  expect(await ask({ call: "issue" })).toMatchObject({ call: "issue", value: { number: issue, body: "The password is [redacted]." } });
  await ask({ call: "issue", number: issue, repository: "Acme/API" });
  expect(asked()).toEqual([["/issues/1", 200]]);
  world.scratch.clock.advance(15_000);
  await ask({ call: "issue" });
  expect(asked()).toEqual([
    ["/issues/1", 200],
    ["/issues/1", 304],
  ]);
  world.api.edit(issue, { title: "Other" });
  world.scratch.clock.advance(15_000);
  expect(await ask({ call: "issue" })).toMatchObject({ value: { title: "Other" } });
});

test("a failed reading is not kept", async () => {
  world.github.fault({ kind: "status", status: 502 });
  await expect(ask({ call: "issue" })).rejects.toMatchObject({ code: "unavailable" });
  expect(await ask({ call: "issue" })).toMatchObject({ value: { number: issue } });
});

test("checks are those of the task's own branch, once it is pushed", async () => {
  await expect(ask({ call: "checks" })).rejects.toThrow("Nothing of api#1 is pushed yet");
  await openPull();
  world.api.checkRuns.push({ name: "ci", status: "completed", conclusion: "failure", html_url: "https://ci.example/1" });
  expect(await ask({ call: "checks" })).toEqual({
    call: "checks",
    value: [{ name: "ci", status: "completed", conclusion: "failure", html_url: "https://ci.example/1" }],
  });
  expect(asked().at(-1)).toEqual([`/commits/heads%2F${encodeURIComponent(branch)}/check-runs?per_page=100`, 200]);
});

test.each(["../../user", "a/../../b", "..", "."])("the path %s asks for nothing", async (path) => {
  await expect(ask({ call: "file", path })).rejects.toThrow("no path inside the repository");
  expect(asked()).toEqual([]);
});

test("its text goes into its own pull request, before the proof, and stays there when that is updated", async () => {
  await expect(ask({ call: "edit_pull", body: "Note." })).rejects.toThrow("Drover opens it when the work is verified");
  const number = await openPull();
  await expect(ask({ call: "edit_pull", number: number + 1, body: "Note." })).rejects.toThrow(`is ${number}. Nothing is written at others`);
  expect((await ask({ call: "edit_pull", body: "Fixes #9, says hunter2." })).value).toContain(`pull request ${number}`);
  await world.publisher.runOnce();
  const body = () => world.api.issue(number).body.split("\n").slice(1).join("\n");
  expect(body()).toBe("Closes it.\n\nFix\u2060es #\u20609, says [redacted].\n\n## Proof");
  const newer = { kind: "pull_request", branch, base: "main", title: "One", body: "Closes it.\n\n## Newer" } as const;
  world.scratch.database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("succeeded", { effects: [newer] }) }));
  await world.publisher.runOnce();
  expect(body()).toBe("Closes it.\n\nFix\u2060es #\u20609, says [redacted].\n\n## Newer");
  expect(listAudit(world.scratch.database.reader, { limit: 10 })).toMatchObject([
    { actor: `agent:${run.agent}`, action: "broker.edit_pull", subject: "api#1", detail: { runId: run.id } },
  ]);
});

test("comments of an agent are each their own, beside the status comment, and outlive the next attempt", async () => {
  for (const body of ["First", "Second", "First"]) await ask({ call: "comment", body });
  world.scratch.database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("queued") }));
  run = startTask(world.scratch.database, run.taskId);
  await world.publisher.runOnce();
  expect(world.comments(issue).map((body) => body.split("\n")[1])).toEqual(["First", "Second"]);
  await expect(broker.ask({ ...run, epoch: run.epoch - 1 }, BrokerCall.parse({ call: "issue" }), signal)).rejects.toThrow("has ended");
});
