import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { TaskDetail } from "../../src/contract/routes.ts";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { makeRepository } from "../support/repository.ts";

const issue = "---\nlabels: [Claude]\n---\n# One\n";

test("the status comment of a task that is cancelled between two runs says so, however that came, and is new when it is wanted again", async () => {
  await using home = await TestHome.make({
    daemon: { tickMs: 100 },
    agents: { fails: { driver: "command", command: ["false"] } },
    defaults: { agent: "fails", retryDelayMs: 3_600_000 },
  });
  const files = { ".drover/issues/1-one.md": issue, ".drover/issues/2-two.md": issue };
  const [api, web] = ["api", "web"].map((name) => makeRepository(join(home.folder, name), { files }));
  const daemon = await home.start();
  const { client } = daemon;
  for (const repository of [api, web]) {
    const { name } = await client.registerProject({ body: { path: repository?.path ?? "" } });
    await client.pollProject({ params: { project: name } });
  }
  const status = (repository = api, number = 1) => repository?.git("show", `refs/drover/issues/${number}:status.md`);
  const waits = ({ epoch, status: now }: TaskDetail) => epoch > 0 && now === "queued";
  const isCancelled = ({ status: now }: TaskDetail) => now === "cancelled";
  const [one, two, ofWeb] = await Promise.all(["api#1", "api#2", "web#1"].map((key) => published(daemon, key, waits)));
  expect(status()).toMatch(/\*\*Not done yet\*\*[^]*It is tried again after/);

  await client.cancelTask({ params: { task: "api#1" } });
  await published(daemon, one?.id, isCancelled);
  expect(status()).toMatch(/\*\*Cancelled\*\* · task `api#1`\n\nCancelled by api\.\n\nWhat was done so far is saved/);

  await client.unregisterProject({ params: { project: "web" } });
  await published(daemon, ofWeb?.id, isCancelled);
  expect(status(web)).toContain("The project was unregistered.");
  const left = () => readdirSync(join(home.home, "workspaces", "web"));
  await vi.waitFor(() => expect(left()).toEqual([]), { timeout: 60_000, interval: 100 });

  await client.clearQueue({ body: { confirm: true } });
  await published(daemon, two?.id, isCancelled);
  expect(status(api, 2)).toContain("The queue was cleared.");

  await client.retryTask({ params: { task: "api#1" } });
  const { effects } = await published(daemon, one?.id, (task) => task.epoch > 1 && waits(task));
  expect(effects.map(({ payload }) => payload.kind === "comment" && payload.body.split(" · ")[0])).toEqual([
    "**Drover is working on this**",
    "**Not done yet**",
    "**Cancelled**",
    "**Drover is working on this**",
    "**Not done yet**",
  ]);
});

/** The task once it is as asked, and what that says outside is out. */
async function published(daemon: TestDaemon, named = "", is: (task: TaskDetail) => boolean): Promise<TaskDetail> {
  const stop = new AbortController();
  try {
    for await (const _ of daemon.client.streamEvents({ query: { after: 0 }, signal: stop.signal })) {
      const task = await daemon.client.getTask({ params: { task: named } });
      if (is(task) && !task.effects.some((effect) => effect.status === "pending")) return task;
    }
    throw new Error("The daemon ended.");
  } finally {
    stop.abort();
  }
}
