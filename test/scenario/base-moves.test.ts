import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { expectNothingLeft } from "../support/leftovers.ts";
import { COMPLETE } from "../support/obeying-scene.ts";
import { git, makeRepository, type TestRepository } from "../support/repository.ts";

const program = (name: string) => join(import.meta.dirname, "../programs", name);
const CHECK = { name: "test", command: "! grep -qs wrong answer.txt" };

interface Scene {
  readonly home: TestHome;
  readonly source: TestRepository;
}

let scene: Scene;
beforeEach(async () => {
  const agents = { obeys: { driver: "command", command: ["sh", program("does-its-order.sh")] } };
  const home = await TestHome.make({
    agents,
    daemon: { tickMs: 60_000 },
    defaults: { agent: "obeys", retryDelayMs: 0, pollingInterval: 600_000 },
    checks: [CHECK],
  });
  const source = makeRepository(join(home.folder, "api"), { files: { "README.md": "# Sample\n", "shared.txt": "shared\n" } });
  scene = { home, source };
});
afterEach(() => scene.home[Symbol.asyncDispose]());

/** Registers the project and files a task whose agent does this. */
async function file(daemon: TestDaemon, order: string): Promise<void> {
  const { items } = await daemon.client.listProjects();
  if (items.length === 0) await daemon.client.registerProject({ body: { path: scene.source.path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Do it", body: `ORDER: ${order}; ${COMPLETE}` } });
}

const poll = (daemon: TestDaemon) => daemon.client.pollProject({ params: { project: "api" } });
const shown = (path: string, branch: string) => git(scene.source.path, "show", `${branch}:${path}`);

test(
  "a finished branch contains what was pushed to the base since, and its pull request has the proof of that",
  { timeout: 400_000 },
  async () => {
    const daemon = await scene.home.start();
    await file(daemon, "echo right >answer.txt");
    const task = await daemon.settledTask("api#1");
    const base = scene.source.commit({ "shared.txt": "by somebody\n" });
    await poll(daemon);
    await daemon.until((event) => event.type === "branch.moved");
    await expect.poll(() => git(scene.source.path, "show", "refs/drover/pulls/1:pull.md"), { timeout: 60_000 }).toContain(base);
    const branch = task.branch ?? "";
    expect([git(scene.source.path, "merge-base", branch, "main"), shown("answer.txt", branch), shown("shared.txt", branch)]).toEqual([
      base,
      "right",
      "by somebody",
    ]);
    await expectNothingLeft(scene.home, daemon);
  },
);
