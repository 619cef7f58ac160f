import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { homePaths } from "../src/base/paths.ts";
import type { Event } from "../src/contract/event.ts";
import { Database } from "../src/store/database.ts";
import { getProject } from "../src/store/projects.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { BareQueue } from "./parts/bare-queue.ts";
import { openWaitingHome, registerProjects, untilStarted } from "./parts/busy-home.ts";
import { Program } from "./parts/program.ts";
import { addTask, makeScratch } from "./parts/scratch.ts";
import { rounds } from "./statistics.ts";

const PROJECTS = 10;
const QUEUED = 10_000;
const RUNNING = 50;
const BARE_RECOVERY = fileURLToPath(new URL("programs/bare-recovery.ts", import.meta.url));

/** How soon a daemon that follows one that was killed is at work again, and has taken up what that one had begun. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const running = quick ? 10 : RUNNING;
  const measured = await rounds(count, async () => ({ ...(await crash(running)), bare: await bareRestart() }));
  const limit = { name: "bare node: open, claim one", value: measured.bare };
  return [
    { name: "start of the process to the first claim", unit: "ms", ours: measured.claimed, limit, goal: { first: 300, later: 100 } },
    { name: `and to all ${running} agents adopted`, unit: "ms", ours: measured.adopted, limit, goal: { first: 2000, later: 500 } },
  ];
};

async function crash(running: number): Promise<{ claimed: number; adopted: number }> {
  await using home = await openWaitingHome(running);
  const first = await home.start();
  await registerProjects(first, home.folder, PROJECTS);
  await first.stop();
  fillQueue(home.home);
  const killed = await home.start();
  await untilStarted(killed, running);
  const { items: last } = await killed.client.listRuns({ query: { limit: 1 } });
  await killed.kill();
  // One more than there is: so the next daemon has something to claim.
  home.env["DROVER_DAEMON_MAXPROCESSES"] = String(running + 1);
  await untilQuiet({ withinMs: 10_000 });
  const startedAt = Date.now();
  const daemon = await home.start();
  const later: Event[] = [];
  await daemon.until((event) => {
    if (event.at >= startedAt) later.push(event);
    return timeOf(later, "run.started", 1) !== undefined && timeOf(later, "run.adopted", running) !== undefined;
  });
  if (last.length === 0) throw new Error("Nothing ran before the crash.");
  return { claimed: (timeOf(later, "run.started", 1) ?? 0) - startedAt, adopted: (timeOf(later, "run.adopted", running) ?? 0) - startedAt };
}

/** When the event of a type came for the `nth` time. */
function timeOf(events: readonly Event[], type: Event["type"], nth: number): number | undefined {
  return events.filter((event) => event.type === type)[nth - 1]?.at;
}

function fillQueue(home: string): void {
  const paths = homePaths(home);
  const database = Database.open({ path: paths.database, backups: paths.backups, clock: systemClock, log: silentLog, reserveBytes: 0 });
  database.writeNow((tx) => {
    const projects = tx.all<{ id: `project_${string}` }>("SELECT id FROM projects ORDER BY name").map(({ id }) => getProject(tx, id));
    for (let issue = 1; issue <= QUEUED; issue += 1) {
      const project = projects[issue % projects.length];
      if (project) addTask(tx, project.id, issue);
    }
  });
  database.close();
}

async function bareRestart(): Promise<number> {
  using scratch = makeScratch();
  const path = join(scratch.folder, "bare.db");
  const queue = new BareQueue(path);
  queue.fill({ queued: QUEUED, done: 0 });
  queue[Symbol.dispose]();
  await using restarted = await Program.start([BARE_RECOVERY, path]);
  return restarted.readyAfterMs;
}
