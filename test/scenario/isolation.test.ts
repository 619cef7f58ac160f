import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { IsolationName } from "../../src/contract/isolation.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { scopeId } from "../../src/process/scope.ts";
import { containersOf, startDocker, type DockerFixture } from "../support/docker.ts";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { openTestModel } from "../support/model-server.ts";
import { needs } from "../support/needs.ts";
import { startRelay } from "../support/relay.ts";
import { makeRepository } from "../support/repository.ts";

const root = join(import.meta.dirname, "../..");
const agent = join(root, "test/programs/small-agent.ts");
/** Where the small agent is with all that it imports. */
const mounts = ["test", "src", "package.json"].map((name) => join(root, name));
const GOOD = "FROM drover-test\n";
const steps: readonly ModelStep[] = [{ calls: [{ kind: "write", path: "made", content: "by the agent\n" }] }, { text: "Done." }];

/** A project with one issue, whose tasks an agent does in an isolation. */
interface ProjectOptions {
  readonly name: string;
  readonly isolation: IsolationName;
  readonly agent?: string;
  readonly dockerfile?: string;
  readonly check?: string;
}

/** @param model its address, as the agent sees it. */
const smallAgent = (model: string, permissions: "all" | "ask" = "all") => ({
  driver: "command",
  command: ["/usr/bin/env", `MODEL_BASE_URL=${model}`, process.execPath, agent],
  permissions,
});

const makeHome = (agents: Record<string, object>, config: object = {}) =>
  TestHome.make({ agents, defaults: { agent: Object.keys(agents)[0], retryDelayMs: 0 }, ...config });

async function register(home: TestHome, daemon: TestDaemon, options: ProjectOptions): Promise<void> {
  const { name, isolation, agent: doer, dockerfile = GOOD, check } = options;
  const checks = check === undefined ? "" : `checks: [{ name: check, command: ${JSON.stringify(check)} }]\n`;
  const files = {
    Dockerfile: dockerfile,
    ".drover/config.yaml": `defaults: { isolation: ${isolation}${doer === undefined ? "" : `, agent: ${doer}`} }\n${checks}`,
    ".drover/issues/1-do.md": "---\nlabels: [Claude]\nauthor: ada\n---\n# Do\n\nTASK: make it.\n",
  };
  await daemon.client.registerProject({ body: { path: makeRepository(join(home.folder, name), { files }).path } });
}

/** Answers whatever the agents ask, until the task has ended. */
async function answered(daemon: TestDaemon, key: string) {
  const stop = new AbortController();
  const settled = daemon.settledTask(key).finally(() => stop.abort());
  try {
    for await (const event of daemon.client.streamEvents({ query: { after: 0 }, signal: stop.signal })) {
      if (event.type !== "run.question_asked" || event.runId === null) continue;
      const run = await daemon.client.getRun({ params: { run: event.runId } });
      if (run.taskKey !== key || !run.questions.some(({ id }) => id === event.data.id)) continue;
      const answer = daemon.client.answerRun({ params: { run: event.runId }, body: { question: event.data.id, allow: true } });
      // It may have been ended meanwhile.
      await answer.catch((thrown: unknown) => expect(thrown).toMatchObject({ code: "conflict" }));
    }
  } catch (thrown) {
    if (!stop.signal.aborted) throw thrown;
  }
  return settled;
}

describe.skipIf(!needs("tmux").ok)("tmux", () => {
  test("kill-server during a run: the task is tried again without anybody's help", async () => {
    await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps }] });
    await using home = await makeHome({ small: smallAgent(model.socket, "ask") });
    const daemon = await home.start();
    await register(home, daemon, { name: "api", isolation: "tmux" });
    const events = await daemon.until((event) => event.type === "run.question_asked");
    const runId = events.at(-1)?.runId ?? "";
    const socket = `drover-${scopeId(realpathSync(home.home))}`;
    const tmux = (...args: string[]) => execFileSync("tmux", ["-L", socket, ...args], { encoding: "utf8" }).trim();
    expect(tmux("list-windows", "-t", "drover", "-F", "#{window_name}")).toBe("api-1");
    const { command } = await daemon.client.attachToRun({ params: { run: runId }, query: { readOnly: true } });
    expect(command.slice(0, 5)).toEqual(["tmux", "-L", socket, "attach-session", "-r"]);
    tmux("kill-server");
    const task = await answered(daemon, "api#1");
    expect([task.status, task.runs.map(({ isolation, outcome }) => [isolation, outcome?.status])]).toEqual([
      "succeeded",
      [
        ["tmux", "succeeded"],
        ["tmux", "failed"],
      ],
    ]);
    await expect(daemon.client.attachToRun({ params: { run: runId }, query: { readOnly: true } })).rejects.toThrow("it has ended");
    expect(await daemon.stop()).toBe(0);
    await expectNoProcesses(home);
  });
});

test("an isolation that this machine lacks fails the task with what to do, and no other task", async () => {
  await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps }] });
  await using home = await makeHome({ small: smallAgent(model.socket) }, { docker: { socket: "/nowhere/docker.sock" } });
  const daemon = await home.start();
  await register(home, daemon, { name: "lacks", isolation: "docker" });
  await register(home, daemon, { name: "has", isolation: "process" });
  const [lacks, has] = await Promise.all(["lacks#1", "has#1"].map((key) => daemon.settledTask(key)));
  expect([lacks?.status, lacks?.reason, lacks?.message]).toEqual([
    "failed",
    "isolation_missing",
    expect.stringMatching(/^Isolation docker can't be had here: .*\/nowhere\/docker\.sock.*Install Docker/u),
  ]);
  expect(has?.status).toBe("succeeded");
  expect(await daemon.stop()).toBe(0);
  await expectNoProcesses(home);
});

describe.skipIf(!needs("docker", "bwrap", "tmux").ok)("with a Docker engine", () => {
  let engine: DockerFixture;
  beforeAll(async () => {
    engine = await startDocker();
  });
  afterAll(() => engine?.[Symbol.asyncDispose]());

  test("an image that can't be made holds its own project, with an alert, and no other", async () => {
    await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps }] });
    const docker = { socket: engine.socket, mounts };
    await using home = await makeHome({ small: smallAgent(await engine.relay(model.socket)) }, { docker });
    const daemon = await home.start();
    await register(home, daemon, { name: "broken", isolation: "docker", dockerfile: `${GOOD}RUN echo no such thing && exit 9\n` });
    await register(home, daemon, { name: "good", isolation: "docker", check: "test $(pwd) = /workspace" });
    const good = await daemon.settledTask("good#1");
    expect([good.status, good.runs[0]?.isolation]).toEqual(["succeeded", "docker"]);
    await daemon.until((event) => event.type === "alert.raised" && event.data.kind === "image_failed");
    const broken = await daemon.taskWith("broken#1", "queued");
    expect([broken.attempt, broken.reason, broken.message]).toEqual([
      0,
      "image_failed",
      expect.stringContaining("returned a non-zero code: 9"),
    ]);
    const alerts = (await daemon.client.listAlerts({ query: {} })).items.map(({ kind, subject }) => [kind, subject]);
    expect(alerts).toEqual([["image_failed", "broken"]]);
    expect(await daemon.stop()).toBe(0);
    await expectNoProcesses(home);
    expect(containersOf(engine)).toEqual([]);
  });

  test("a changed limit holds for a container that runs", async () => {
    const waits = { driver: "command", command: ["sh", join(root, "test/programs/waits.sh")] };
    await using home = await makeHome({ waits }, { docker: { socket: engine.socket }, resources: { agentMemoryMB: 300 } });
    const daemon = await home.start();
    await register(home, daemon, { name: "api", isolation: "docker" });
    await daemon.until((event) => event.type === "run.message");
    const [container = ""] = containersOf(engine);
    const limits = () => engine.docker("inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}", container);
    expect(limits()).toBe(`${300 * 2 ** 20} 1024`);
    const file = join(home.home, "config.yaml");
    const config = parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, stringify({ ...config, resources: { agentMemoryMB: 200, agentProcessesMax: 100 } }));
    await expect.poll(limits, { timeout: 60_000 }).toBe(`${200 * 2 ** 20} 100`);
    expect(await daemon.stop("kill")).toBe(0);
    await expectNoProcesses(home);
    expect(containersOf(engine)).toEqual([]);
  });

  test("the daemon is killed while agents ask in every isolation: all are adopted, none runs twice, all finish", async () => {
    await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps }] });
    await using relay = await startRelay(model.socket);
    const names = ["process", "tmux", "sandbox", "docker"] as const;
    // How each sees the model.
    const agents = {
      process: smallAgent(model.socket, "ask"),
      tmux: smallAgent(model.socket, "ask"),
      sandbox: smallAgent(relay.url, "ask"),
      docker: smallAgent(await engine.relay(model.socket), "ask"),
    };
    await using home = await makeHome(agents, {
      daemon: { maxProcesses: names.length },
      docker: { socket: engine.socket, mounts },
      sandbox: { allowedHosts: [relay.host], readable: [...mounts] },
    });
    const first = await home.start();
    for (const name of names) await register(home, first, { name, isolation: name, agent: name });
    const asked = new Set<string | null>();
    await first.until((event) => event.type === "run.question_asked" && asked.add(event.runId).size === names.length);
    await first.kill();
    const second = await home.start();
    const tasks = await Promise.all(names.map((name) => answered(second, `${name}#1`)));
    expect(tasks.map(({ status, runs }) => [status, runs.length, runs[0]?.isolation])).toEqual(names.map((name) => ["succeeded", 1, name]));
    const { items } = await second.client.listEvents({ query: { limit: 500 } });
    expect(items.filter(({ type }) => type === "run.adopted")).toHaveLength(names.length);
    expect(await second.stop()).toBe(0);
    await expectNoProcesses(home);
    expect(containersOf(engine)).toEqual([]);
  });
});
