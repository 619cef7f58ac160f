import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { Gate } from "../support/gate.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { needs } from "../support/needs.ts";
import { git, makeRepository } from "../support/repository.ts";

const PROGRAMS = join(import.meta.dirname, "../programs");
const allocate = `echo go | '${process.execPath}' '${join(PROGRAMS, "allocates.ts")}'`;
const done = `echo '{"type":"turn_ended","verdict":{"ok":true},"report":"Done."}'`;
const hold = (bytes: number) =>
  `'${process.execPath}' -e 'held = Buffer.alloc(${bytes}, 1); console.log("I hold it."); setInterval(() => held, 1e6)'`;

/** A home and a repository, registered as `api`, whose agents do what their tasks order. */
interface Scene extends AsyncDisposable {
  readonly home: TestHome;
  readonly gate: Gate;
  start(): Promise<TestDaemon>;
}

async function openScene(entry: string | undefined, resources: Record<string, number>): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const agents = { obeys: { driver: "command", command: ["sh", join(PROGRAMS, "does-its-order.sh")] } };
  const defaults = { agent: "obeys", retryAttempts: 1 };
  const home = stack.use(await TestHome.make({ agents, defaults, resources: { maxCpuPercent: 100, ...resources } }));
  const gate = stack.use(await Gate.make(join(home.folder, "gate")));
  makeRepository(join(home.folder, "api"));
  const end = stack.move();
  return { home, gate, start: () => home.start(entry), [Symbol.asyncDispose]: () => end.disposeAsync() };
}

async function order({ home }: Scene, { client }: TestDaemon, ...orders: readonly string[]): Promise<void> {
  const { items } = await client.listProjects();
  if (items.length === 0) await client.registerProject({ body: { path: join(home.folder, "api"), name: "api" } });
  for (const one of orders) await client.createTask({ body: { project: "api", title: "Obey", body: `ORDER: ${one}` } });
}

/** Resolves once so many agents have said something. */
async function haveSpoken(daemon: TestDaemon, count: number): Promise<void> {
  let spoken = 0;
  await daemon.until((event) => event.type === "run.session_started" && ++spoken === count);
}

describe.skipIf(!needs("cgroups").ok)("limits that the kernel holds", () => {
  limitsHold(undefined);
});
describe("limits that are held by measuring", () => {
  limitsHold(join(PROGRAMS, "unlimited-daemon.ts"));

  test("an agent with more processes than it may have is ended with all of them", async () => {
    await using scene = await openScene(join(PROGRAMS, "unlimited-daemon.ts"), { agentProcessesMax: 30 });
    const daemon = await scene.start();
    await order(scene, daemon, "for one in $(seq 60); do sleep 1000000 & done; wait");
    const task = await daemon.settledTask("api#1");
    expect([task.status, task.reason]).toEqual(["failed", "processes"]);
    expect(task.message).toMatch(/^It had \d+ processes; 30 are allowed \(resources\.agentProcessesMax, defaults\.processesMax\)\.$/);
    expect(await daemon.stop()).toBe(0);
    await expectNoProcesses(scene.home);
  });

  test("what the agents of a project took is learned, and no more of them are started than there is memory for", async () => {
    await using scene = await openScene(join(PROGRAMS, "unlimited-daemon.ts"), { maxMemoryMB: 450 });
    const daemon = await scene.start();
    const until = `process.stdin.once("data", () => process.exit())`;
    const work = `echo done >done.txt; ${done}`;
    await order(scene, daemon, `'${process.execPath}' -e 'held = Buffer.alloc(250e6, 1); ${until}' <'${scene.home.folder}/gate'; ${work}`);
    const used = async () => (await daemon.client.getDaemon()).memory.agentsBytes;
    await expect.poll(used, { timeout: 30_000 }).toBeGreaterThan(250e6);
    await scene.gate.open();
    await daemon.settledTask("api#1");
    await order(scene, daemon, work, work);
    const [second, third] = [await daemon.settledTask("api#2"), await daemon.settledTask("api#3")].flatMap(({ runs }) => runs);
    expect(third?.startedAt).toBeGreaterThanOrEqual(second?.finishedAt ?? Infinity);
  });

  test("when all together take more than they may, the one that takes most is ended", async () => {
    await using scene = await openScene(join(PROGRAMS, "unlimited-daemon.ts"), { maxMemoryMB: 350 });
    const daemon = await scene.start();
    await order(scene, daemon, hold(250e6), hold(150e6));
    const big = await daemon.settledTask("api#1");
    expect([big.status, big.reason]).toEqual(["failed", "memory"]);
    expect((await daemon.client.getTask({ params: { task: "api#2" } })).status).toBe("running");
  });
});

/** @param entry of the daemon's program. */
function limitsHold(entry: string | undefined): void {
  test("an agent that takes more memory than it may has failed for that, with its work kept; the one beside it and the daemon live", async () => {
    await using scene = await openScene(entry, { agentMemoryMB: 200 });
    const daemon = await scene.start();
    await order(scene, daemon, `echo work >kept.txt; ${allocate}`, `${scene.gate.command}; echo done >done.txt; ${done}`);
    const greedy = await daemon.settledTask("api#1");
    expect([greedy.status, greedy.reason]).toEqual(["failed", "memory"]);
    expect(greedy.message).toContain("(200 MB: resources.agentMemoryMB, defaults.memoryMB)");
    const restored = await daemon.client.restoreTask({ params: { task: "api#1" }, body: { to: join(scene.home.folder, "restored") } });
    expect(git(restored.path, "show", "HEAD:kept.txt").trim()).toBe("work");
    await scene.gate.open();
    expect((await daemon.settledTask("api#2")).status).toBe("succeeded");
    expect(await daemon.stop()).toBe(0);
    await expectNoProcesses(scene.home);
  });

  test("a limit that is lowered holds for the agent that runs", async () => {
    await using scene = await openScene(entry, { agentMemoryMB: 2000 });
    const daemon = await scene.start();
    await order(scene, daemon, hold(400e6));
    await daemon.until((event) => event.type === "run.message");
    const file = join(scene.home.home, "config.yaml");
    const config = parse(readFileSync(file, "utf8")) as { resources: object };
    writeFileSync(file, stringify({ ...config, resources: { ...config.resources, agentMemoryMB: 200 } }));
    const task = await daemon.settledTask("api#1");
    expect([task.status, task.reason]).toEqual(["failed", "memory"]);
  });

  test("the daemon is killed, and its agent is held to its limits all the same", async () => {
    await using scene = await openScene(entry, { agentMemoryMB: 200 });
    const first = await scene.start();
    await order(scene, first, `${scene.gate.command}; ${allocate}`);
    await haveSpoken(first, 1);
    await first.kill();
    const next = await scene.start();
    await next.until((event) => event.type === "run.adopted");
    await scene.gate.open();
    const task = await next.settledTask("api#1");
    expect([task.status, task.reason, task.runs.length]).toEqual(["failed", "memory", 1]);
    expect(await next.stop()).toBe(0);
    await expectNoProcesses(scene.home);
  });
}
