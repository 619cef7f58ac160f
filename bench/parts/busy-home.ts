import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { TestHome, type TestDaemon } from "../../test/support/daemon.ts";
import { makeRepository } from "../../test/support/repository.ts";

const WAITING_AGENT = fileURLToPath(new URL("../programs/waits-on-stdin.sh", import.meta.url));

/** A home for daemons in processes of their own, whose agents only wait. `agentMax` may differ from one start to the next. */
export async function openWaitingHome(agentMax: number): Promise<TestHome> {
  const home = await TestHome.make({
    daemon: { tickMs: 15_000, queueMax: 1_000_000 },
    resources: { maxMemoryMB: 8192, maxCpuPercent: 100 },
    agents: { waiting: { driver: "command", command: ["sh", WAITING_AGENT] } },
    defaults: { agent: "waiting" },
  });
  home.env["DROVER_DAEMON_MAXPROCESSES"] = String(agentMax);
  home.env["NODE_COMPILE_CACHE"] = join(home.folder, "compiled");
  return home;
}

export async function registerProjects(daemon: TestDaemon, folder: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  for (const name of names) {
    const { path } = makeRepository(join(folder, name));
    await daemon.client.registerProject({ body: { path, name } });
  }
  return names;
}

/** Files tasks, and resolves when so many agents have been started since the first event. */
export async function startAgents(daemon: TestDaemon, projects: readonly string[], count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    await daemon.client.createTask({ body: { project: projects[index % projects.length] ?? "", title: `Wait ${index}` } });
  }
  await untilStarted(daemon, count);
}

export async function untilStarted(daemon: TestDaemon, count: number): Promise<void> {
  let started = 0;
  await daemon.until(({ type }) => type === "run.agent_started" && (started += 1) === count);
}
