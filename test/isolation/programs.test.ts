import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from "vitest";
import { testCell } from "../support/cells.ts";
import { TestHome } from "../support/daemon.ts";
import { PROGRAMS } from "../support/held-command.ts";
import { lanes, type Lane } from "../support/lanes.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { openTestModel } from "../support/model-server.ts";
import { needs } from "../support/needs.ts";
import * as odd from "../support/odd-programs.ts";
import { makeRepository } from "../support/repository.ts";

const TIMEOUT_MS = 300_000;
const LOOK_EVERY_MS = 50;
const names = Object.keys(odd.oddPrograms);

/** A daemon at whose agents all programs of the table work, in one isolation. */
interface Work extends odd.Scene, AsyncDisposable {
  readonly expectNothingLeft: (home: string) => void;
}

for (const lane of lanes) {
  const has = needs(...lane.needs);
  describe(`isolation ${lane.isolation}`, () => {
    let work: Work | undefined;
    beforeAll(async () => {
      if (has.ok) work = await begin(lane);
    }, TIMEOUT_MS);
    afterAll(() => work?.[Symbol.asyncDispose]());

    for (const name of names)
      testCell({ matrix: "programs", row: name, column: lane.isolation }, has, () => comesOut(work, name), TIMEOUT_MS);

    test.skipIf(!has.ok)("when the daemon has stopped, nothing is left", { timeout: TIMEOUT_MS }, async () => {
      expect(await work?.daemon.stop()).toBe(0);
      if (work) await expectNoProcesses(work.home);
      work?.expectNothingLeft(work.home.home);
    });
  });
}

async function begin(lane: Lane): Promise<Work> {
  await using stack = new AsyncDisposableStack();
  const model = stack.use(await openTestModel({ scenarios: [] }));
  const { config, expectNothingLeft, isConfined } = stack.use(await lane.open(model.socket));
  const home = stack.use(
    await TestHome.make({
      ...config,
      agents: { odd: { driver: "command", command: ["sh", join(PROGRAMS, "does-its-order.sh")], env: [odd.SECRET_VARIABLE] } },
      defaults: { agent: "odd", isolation: lane.isolation, retryAttempts: 1, graceMs: 500 },
      daemon: { maxProcesses: 3 },
      resources: { agentMemoryMB: odd.MEMORY_MB, maxCpuPercent: 100 },
      logging: { runOutputMaxMB: odd.OUTPUT_MAX_MB },
    }),
  );
  home.env[odd.SECRET_VARIABLE] = odd.SECRET;
  const outside = join(home.folder, "outside");
  mkdirSync(join(outside, "target"), { recursive: true });
  writeFileSync(join(outside, "kept.txt"), "kept\n");
  const daemon = await home.start();
  for (const [name, defaults] of Object.entries(odd.projects)) {
    const files = { Dockerfile: "FROM drover-test\n", ".drover/config.yaml": JSON.stringify({ defaults }) };
    await daemon.client.registerProject({ body: { path: makeRepository(join(home.folder, name), { files }).path } });
  }
  for (const name of names) {
    const program = odd.oddPrograms[name];
    if (program)
      await daemon.client.createTask({ body: { project: program.project, title: name, body: `ORDER: ${program.order(outside)}` } });
  }
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, odd.outputOnDisk(home))), LOOK_EVERY_MS);
  stack.defer(() => clearInterval(watch));
  const scene: odd.Scene = { home, daemon, isolation: lane.isolation, isConfined, outside, outputPeak: () => peak };
  const end = stack.move();
  return { ...scene, expectNothingLeft, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** The task of a program, which has the number that it has among those of its project. */
async function comesOut(work: Work | undefined, name: string): Promise<void> {
  const program = odd.oddPrograms[name];
  if (!work || !program) throw new Error("The daemon has not started.");
  const before = names.slice(0, names.indexOf(name)).filter((one) => odd.oddPrograms[one]?.project === program.project);
  const key = `${program.project}#${before.length + 1}`;
  const meanwhile = program.meanwhile?.(work, key);
  const task = await work.daemon.settledTask(key);
  await meanwhile;
  onTestFailed(() => console.log(`${key} ended so: ${JSON.stringify(task.runs.map(({ outcome }) => outcome))}`));
  expect([task.title, task.status, task.reason, task.runs.map(({ isolation }) => isolation)]).toEqual([
    name,
    ...program.becomes,
    [work.isolation],
  ]);
  await program.also?.(work, task);
}
