import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import type { EngineParts } from "../src/engine/parts.ts";
import { countTasks } from "../src/store/tasks.ts";
import { makeRepository, writeFiles } from "../test/support/repository.ts";
import { watchParts } from "../test/support/watched-parts.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { git } from "./parts/git-by-hand.ts";
import { openHome, type Home } from "./parts/home.ts";
import { rounds, single } from "./statistics.ts";

const FILES = 2000;
const AGENT = fileURLToPath(new URL("programs/writes-a-file.sh", import.meta.url));

/** An issue to its pull request with everything real but the agent, which is done at once: what Drover and git take, step by step. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  await using home = await openHome({
    agents: { quick: { driver: "command", command: ["sh", AGENT] } },
    defaults: { agent: "quick", pollingInterval: 600_000 },
    checks: [{ name: "test", command: "true" }],
  });
  const clock = new StepClock();
  await home.start((parts) => clock.watch(parts));
  const { path } = makeRepository(join(home.folder, "project"), { files: manyFiles(quick ? 100 : FILES) });
  await home.client.registerProject({ body: { path, name: "project" } });
  let issue = 0;
  const once = async () => {
    await untilQuiet({ withinMs: 5000 });
    issue += 1;
    return { ...(await oneTask(home, clock, path, issue)), byHand: await byHand(path, home.folder, issue) };
  };
  // The first one of a project makes our repository of it, and checks the base.
  const first = await once();
  const measured = await rounds(count * 2, once);
  const { whole, byHand: hand, withoutAgent, ...steps } = measured;
  const limit = { name: "the same git steps by hand", value: hand };
  const names = Object.keys(steps) as (keyof typeof steps)[];
  return [
    { name: "an issue to its pull request, local forge", unit: "ms", ours: whole, limit, goal: null },
    { name: "of it all but the agent", unit: "ms", ours: withoutAgent, limit, goal: null },
    { name: "the first one of its project", unit: "ms", ours: single(first.whole), limit: null, goal: null },
    ...names.map((name): Figure => ({ name: `of it ${name}`, unit: "ms", ours: steps[name], limit: null, goal: null })),
  ];
};

const AGENT_STEP = "agent, its start and its end";

/** They overlap: what is published goes beside what is run. */
const STEPS = {
  fetch: ["workspaces.fetchBase"],
  clone: ["workspaces.open"],
  [AGENT_STEP]: ["host.start", "host.waitForEnd"],
  "ending what the agent left": ["host.stop"],
  checkpoints: ["workspaces.checkpoint"],
  collect: ["workspaces.collect"],
  "checks on base and result": ["workspaces.openBase", "runCheck"],
  push: ["workspaces.push"],
  "pull request and comments": ["forge.putPullRequest", "forge.putComment"],
} as const;

/** How long was spent in each kind of call to the outside. */
class StepClock {
  #begun = new Map<string, number>();
  #spent = new Map<string, number>();

  watch(parts: EngineParts): EngineParts {
    return watchParts(parts, (step) => this.#note(step));
  }

  /** Milliseconds since the last reading, by kind of step. */
  read(): Record<keyof typeof STEPS, number> {
    const entries = Object.entries(STEPS).map(([name, calls]) => [
      name,
      calls.reduce((sum, call) => sum + (this.#spent.get(call) ?? 0), 0),
    ]);
    this.#spent = new Map();
    return Object.fromEntries(entries) as Record<keyof typeof STEPS, number>;
  }

  #note(step: string): void {
    const [call = "", moment] = step.split(":");
    if (moment === "before") this.#begun.set(call, performance.now());
    const begun = this.#begun.get(call);
    if (moment !== "after" || begun === undefined) return;
    this.#spent.set(call, (this.#spent.get(call) ?? 0) + performance.now() - begun);
    this.#begun.delete(call);
  }
}

async function oneTask(home: Home, clock: StepClock, path: string, issue: number) {
  await home.untilIdle();
  clock.read();
  const { succeeded } = countTasks(home.database.reader);
  writeFiles(path, { [`.drover/issues/${issue}-answer.md`]: `---\nlabels: [Claude]\n---\n# Answer ${issue}\n\nWrite the answer.\n` });
  const startedAt = performance.now();
  await home.client.pollProject({ params: { project: "project" } });
  await home.untilIdle();
  const whole = performance.now() - startedAt;
  if (countTasks(home.database.reader).succeeded !== succeeded + 1) throw new Error("The task did not succeed.");
  const steps = clock.read();
  return { whole, ...steps, withoutAgent: whole - steps[AGENT_STEP] };
}

/** Clone, commit, push. */
async function byHand(repository: string, folder: string, number: number): Promise<number> {
  const place = join(folder, `by-hand-${number}`);
  const startedAt = performance.now();
  await git(folder, "clone", "--quiet", "--no-hardlinks", repository, place);
  await git(place, "switch", "--quiet", "--create", `by-hand-${number}`);
  await writeFile(join(place, "answer.txt"), "forty-two\n");
  await git(place, "add", "--all");
  await git(place, "commit", "--quiet", "--message=Answer");
  await git(place, "push", "--quiet", "origin", `by-hand-${number}`);
  return performance.now() - startedAt;
}

function manyFiles(count: number): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`src/part-${index % 50}/file-${index}.txt`, `File ${index}.\n`.repeat(20)]),
  );
}
