import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { silentLog } from "../base/log.ts";
import type { Driver } from "../agents/driver.ts";
import { eventsAfter } from "../store/events.ts";
import { getRun } from "../store/runs.ts";
import { getTask } from "../store/tasks.ts";
import { addProject, addTask, scratchDatabase, startTask } from "../../test/support/scratch-database.ts";
import { sampleConfig } from "../../test/support/samples.ts";
import type { Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import { RunObserver } from "./run-observer.ts";
import type { RunStopped } from "./run-stop.ts";

const MINUTE = 60_000;

/** An observer of an open run in a real database, on a clock that the test moves. `said`: what went to the agent's stdin. */
function observed(driver: Partial<Driver> = {}, walks: (number | null)[] = []) {
  const scratch = scratchDatabase();
  onTestFinished(() => scratch[Symbol.dispose]());
  const { database, clock } = scratch;
  const project = addProject(database);
  const { id } = addTask(database, project.id);
  const run = startTask(database, id);
  const said: string[] = [];
  const stops: RunStopped[] = [];
  const parts = {
    clock,
    database,
    log: silentLog,
    host: { send: async (_directory: string, text: string) => void said.push(text) },
    traces: { newestChange: async () => walks.shift() ?? null },
  } as unknown as EngineParts;
  const job = {
    run,
    project,
    task: getTask(database.reader, id),
    config: sampleConfig(),
    driver,
    agent: { interactive: false },
    log: silentLog,
  } as unknown as Job;
  const observer = new RunObserver(parts, job, (reason) => stops.push(reason));
  onTestFinished(() => observer[Symbol.dispose]());
  return {
    clock,
    observer,
    said,
    reasons: () => stops.map(({ stop }) => stop.kind === "limit" && stop.reason),
    output: () => observer.see({ kind: "output", at: clock.now() }),
    async states() {
      await observer.stored();
      const told = eventsAfter(database.reader, 0, { limit: 500 }).flatMap((event) =>
        event.type === "run.state_changed" ? [event.data.to] : [],
      );
      return { told, stored: getRun(database.reader, run.id).state?.state };
    },
  };
}

test("a run is stopped at its limit however busy it is", () => {
  const { clock, observer, output, reasons } = observed();
  observer.agentBegan();
  for (let minute = 0; minute < 59; minute += 1) {
    clock.advance(MINUTE);
    output();
  }
  expect(reasons()).toEqual([]);
  clock.advance(MINUTE);
  expect(reasons()).toEqual(["timed_out"]);
});

test("an agent that can be told is told once that it seems stuck; it goes on or is stopped", async () => {
  const scene = observed({ say: (text) => `told: ${text}` });
  scene.observer.agentBegan();
  scene.clock.advance(5 * MINUTE);
  await scene.observer.stored();
  expect(scene.said).toEqual([expect.stringMatching(/^told: Drover can't tell whether you still work: no output, hook, .* for 5 min\./u)]);
  scene.output();
  expect(await scene.states()).toEqual({ told: ["stuck", "running"], stored: "running" });
  scene.clock.advance(9 * MINUTE);
  expect([scene.reasons(), scene.said.length]).toEqual([[], 1]);
  scene.clock.advance(MINUTE);
  expect([scene.reasons(), await scene.states()]).toEqual([["stalled"], { told: ["stuck", "running", "stuck"], stored: "stuck" }]);
});

test("what comes before the agent is never stuck, nor is who waits for a person", () => {
  const scene = observed();
  scene.clock.advance(20 * MINUTE);
  scene.observer.agentBegan();
  scene.observer.see({ kind: "question_asked", at: scene.clock.now(), id: "q", tool: "Bash" });
  scene.clock.advance(30 * MINUTE);
  expect(scene.reasons()).toEqual([]);
});

test("the files of its workspace are looked at only when nothing else shows, and not all the time", async () => {
  const scene = observed({}, [Date.UTC(2026, 0, 1) + 4 * MINUTE, null, null]);
  scene.observer.agentBegan();
  scene.observer.workIn("/workspace");
  scene.clock.advance(2 * MINUTE);
  await scene.observer.lookAtFiles();
  scene.clock.advance(3 * MINUTE - 1);
  await scene.observer.lookAtFiles();
  await scene.observer.lookAtFiles();
  scene.clock.advance(3 * MINUTE);
  await turn();
  expect(await scene.states()).toEqual({ told: [], stored: "running" });
  scene.clock.advance(2 * MINUTE);
  expect(await scene.states()).toEqual({ told: ["stuck"], stored: "stuck" });
});

test("nothing is stopped once the run is over", () => {
  const { clock, observer, reasons } = observed();
  observer.agentBegan();
  observer[Symbol.dispose]();
  clock.advance(100 * MINUTE);
  expect(reasons()).toEqual([]);
});
