import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { agentEntries } from "../support/agent-entries.ts";
import { testCell } from "../support/cells.ts";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import type { Lane } from "../support/lanes.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { openTestModel } from "../support/model-server.ts";
import { needs } from "../support/needs.ts";
import { git, makeRepository } from "../support/repository.ts";
import { THE_WAY, wayOf } from "../support/task-way.ts";

const CELL_TIMEOUT_MS = 300_000;
const names = Object.keys(agentEntries);

const sum = 'import assert from "node:assert";\nimport { sum } from "./sum.mjs";\nassert.equal(sum(2, 3), 5);\n';
/** In the words of every agent: a new file, and a command that tries it. */
const steps: readonly ModelStep[] = [
  { text: "I write it.", calls: [{ kind: "write", path: "sum.mjs", content: "export const sum = (a, b) => a + b;\n" }] },
  { calls: [{ kind: "run", command: "node try.mjs" }] },
  { text: "Done: it adds." },
];

/** A daemon whose agents all have the same task, each in a project of its own named like its driver, in one isolation. */
interface Work extends AsyncDisposable {
  readonly home: TestHome;
  readonly daemon: TestDaemon;
  readonly expectNothingLeft: (home: string) => void;
}

/** An issue becomes a pull request, by every agent in one isolation: a cell each. */
export function describeLane(lane: Lane): void {
  const has = needs(...lane.needs);
  describe(`isolation ${lane.isolation}`, () => {
    let work: Work | undefined;
    beforeAll(async () => {
      if (has.ok) work = await begin(lane);
    }, CELL_TIMEOUT_MS);
    afterAll(() => work?.[Symbol.asyncDispose]());

    for (const name of names) {
      const needed = needs(...lane.needs, ...(agentEntries[name]?.needs ?? []));
      testCell({ matrix: "agents", row: name, column: lane.isolation }, needed, () => finishes(work, lane, name), CELL_TIMEOUT_MS);
    }

    test.skipIf(!has.ok)("when the daemon has stopped, nothing is left", { timeout: 120_000 }, async () => {
      expect(await work?.daemon.stop()).toBe(0);
      if (work) await expectNoProcesses(work.home);
      work?.expectNothingLeft(work.home.home);
    });
  });
}

async function begin(lane: Lane): Promise<Work> {
  await using stack = new AsyncDisposableStack();
  const model = stack.use(await openTestModel({ scenarios: [{ when: "TASK:", steps }] }));
  const opened = stack.use(await lane.open(model.socket));
  const present = names.filter((name) => needs(...(agentEntries[name]?.needs ?? [])).ok);
  const configured = present.map((name) => ({ name, ...agentEntries[name]?.configure(opened) }));
  const home = stack.use(
    await TestHome.make({
      ...opened.config,
      agents: Object.fromEntries(configured.map(({ name, config }) => [name, config])),
      defaults: { isolation: lane.isolation },
      // A person who is waited for takes no room of the others.
      daemon: { maxProcesses: 3 },
      checks: [{ name: "try", command: "node try.mjs" }],
    }),
  );
  Object.assign(home.env, ...configured.map(({ env }) => env));
  const daemon = await home.start();
  for (const name of present) await daemon.client.registerProject({ body: { path: makeProject(home.folder, name) } });
  const { expectNothingLeft } = opened;
  const end = stack.move();
  return { home, daemon, expectNothingLeft, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

async function finishes(work: Work | undefined, { isolation }: Lane, name: string): Promise<void> {
  if (!work) throw new Error("The daemon has not started.");
  const { home, daemon } = work;
  const assisted = agentEntries[name]?.assist?.(daemon, `${name}#1`);
  const task = await daemon.settledTask(`${name}#1`);
  await assisted;
  const [run] = task.runs;
  const isDone = task.status === "succeeded";
  expect({
    status: task.status,
    message: task.message,
    way: await wayOf(daemon, task),
    ran: [run?.agent, run?.isolation],
    changed: isDone ? git(join(home.folder, name), "diff", "--name-only", "main", task.branch ?? "") : "",
  }).toEqual({ status: "succeeded", message: null, way: wayFor(name), ran: [name, isolation], changed: "sum.mjs" });
}

/** A person has no session, and is asked. */
function wayFor(name: string): string[] {
  if (name !== "human") return THE_WAY;
  return THE_WAY.flatMap((step) => (step === "run.session_started" ? ["run.question_asked", "run.question_answered"] : [step]));
}

function makeProject(folder: string, agent: string): string {
  const issue = "---\nlabels: [Claude]\nauthor: ada\n---\n# Write sum\n\nTASK: write sum.mjs, which `node try.mjs` tries.\n";
  const files = {
    "try.mjs": sum,
    Dockerfile: "FROM drover-test\n",
    ".drover/config.yaml": `defaults: { agent: ${agent} }\n`,
    ".drover/issues/1-write-sum.md": issue,
  };
  return makeRepository(join(folder, agent), { files }).path;
}
