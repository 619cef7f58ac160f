import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SchedulingStrategy } from "../contract/config.ts";
import { orderQueue, schedule, type Candidate, type Choice, type ProjectShare, type ScheduleInput } from "./schedule.ts";

const strategies = SchedulingStrategy.options;
const HOUR_MS = 3_600_000;

interface TestProject {
  priority: number;
  weight: number;
  virtualTime: number;
  running: number;
  runningMax: number;
  tasks: Candidate[];
}

/** A queue without a database: the same heads as the store gives, and the rows that a start changes. */
class Queue {
  readonly projects: TestProject[] = [];
  readonly started: Choice[] = [];
  now = 0;
  #sequence = 0;

  addProject(project: Partial<Omit<TestProject, "tasks">> = {}): number {
    this.projects.push({ priority: 50, weight: 1, virtualTime: 0, running: 0, runningMax: 1000, ...project, tasks: [] });
    return this.projects.length - 1;
  }

  addTasks(project: number, count: number, task: Partial<Pick<Candidate, "priority" | "deadlineAt" | "queuedAt">> = {}): void {
    for (let index = 0; index < count; index++) {
      const sequence = ++this.#sequence;
      const queued = { priority: 50, deadlineAt: null, queuedAt: this.now, ...task };
      this.at(project).tasks.push({ taskId: `task_${sequence}`, projectId: `project_${project}`, sequence, ...queued });
    }
  }

  input(strategy: SchedulingStrategy, more: Partial<ScheduleInput> = {}): ScheduleInput {
    const projects = this.projects.flatMap(({ tasks, ...project }, index): ProjectShare[] =>
      tasks.length === 0 ? [] : [{ ...project, projectId: `project_${index}`, heads: headsOf(tasks) }],
    );
    const virtualTime = Math.max(0, ...this.projects.map((project) => project.virtualTime));
    return { strategy, now: this.now, agingMs: HOUR_MS, running: 0, runningMax: 1000, virtualTime, projects, ...more };
  }

  /** Starts the next task; the index of its project, or undefined when nothing may start. */
  start(strategy: SchedulingStrategy, more: Partial<ScheduleInput> = {}): number | undefined {
    const choice = schedule(this.input(strategy, more));
    if (choice === undefined) return undefined;
    const index = this.projects.findIndex((_, at) => `project_${at}` === choice.projectId);
    const project = this.at(index);
    project.virtualTime = choice.virtualTime;
    project.running++;
    project.tasks = project.tasks.filter((task) => task.taskId !== choice.taskId);
    this.started.push(choice);
    return index;
  }

  at(index: number): TestProject {
    const project = this.projects[index];
    if (project === undefined) throw new Error(`no project ${index}`);
    return project;
  }
}

function headsOf(tasks: readonly Candidate[]): Candidate[] {
  const best = tasks.toSorted((a, b) => b.priority - a.priority || a.sequence - b.sequence)[0];
  const urgent = tasks
    .filter((task) => task.deadlineAt !== null)
    .toSorted((a, b) => Number(a.deadlineAt) - Number(b.deadlineAt) || b.priority - a.priority || a.sequence - b.sequence)[0];
  const oldest = tasks.toSorted((a, b) => a.queuedAt - b.queuedAt || a.sequence - b.sequence)[0];
  return [...new Set([oldest, urgent, best])].filter((task) => task !== undefined);
}

describe("limits", () => {
  test("nothing starts when as many run as may", () => {
    const queue = new Queue();
    queue.addTasks(queue.addProject(), 1);
    expect(queue.start("priority", { running: 2, runningMax: 2 })).toBeUndefined();
    expect(queue.start("priority", { running: 1, runningMax: 2 })).toBe(0);
  });

  test("nothing starts when nothing is due", () => {
    expect(new Queue().start("round-robin")).toBeUndefined();
  });

  test("a project at its own limit is passed over under every strategy, even with an aged task", () => {
    for (const strategy of strategies) {
      const queue = new Queue();
      queue.addTasks(queue.addProject({ priority: 90, running: 1, runningMax: 1 }), 3, { deadlineAt: 1 });
      queue.addTasks(queue.addProject({ priority: 10 }), 1);
      queue.now = 2 * HOUR_MS;
      expect([queue.start(strategy), queue.start(strategy)]).toEqual([1, undefined]);
    }
  });
});

describe("round-robin", () => {
  test("three projects with thirty tasks each: no prefix of the starts differs by more than one", () => {
    const queue = new Queue();
    for (let index = 0; index < 3; index++) queue.addTasks(queue.addProject({ weight: index + 1 }), 30);
    const starts = [0, 0, 0];
    for (let start = 0; start < 90; start++) {
      const project = queue.start("round-robin") ?? -1;
      starts[project] = (starts[project] ?? 0) + 1;
      expect(Math.max(...starts) - Math.min(...starts)).toBeLessThanOrEqual(1);
    }
    expect(starts).toEqual([30, 30, 30]);
  });

  test("of projects whose turn it is alike, the one with the older task goes first", () => {
    const queue = new Queue();
    const [first, second] = [queue.addProject(), queue.addProject()];
    queue.addTasks(second, 1);
    queue.addTasks(first, 1);
    expect([queue.start("round-robin"), queue.start("round-robin")]).toEqual([second, first]);
  });
});

describe("weighted-round-robin", () => {
  test("weights 1 and 2 over ninety starts give 30 and 60", () => {
    const queue = new Queue();
    queue.addTasks(queue.addProject({ weight: 1 }), 100);
    queue.addTasks(queue.addProject({ weight: 2 }), 100);
    const starts = Array.from({ length: 90 }, () => queue.start("weighted-round-robin"));
    expect([starts.filter((project) => project === 0).length, starts.filter((project) => project === 1).length]).toEqual([30, 60]);
  });

  test("a project that was idle goes on at its share and does not catch up", () => {
    const queue = new Queue();
    const busy = queue.addProject();
    const idle = queue.addProject();
    queue.addTasks(busy, 200);
    for (let start = 0; start < 100; start++) queue.start("weighted-round-robin");
    queue.addTasks(idle, 100);
    const starts = Array.from({ length: 20 }, () => queue.start("weighted-round-robin"));
    expect(starts.filter((project) => project === idle).length).toBe(10);
  });
});

describe("priority", () => {
  test("higher project priority first, then task priority, then fair turns", () => {
    const queue = new Queue();
    const low = queue.addProject({ priority: 50 });
    const high = queue.addProject({ priority: 90 });
    const [middle, other] = [queue.addProject({ priority: 80 }), queue.addProject({ priority: 80 })];
    queue.addTasks(low, 1, { priority: 100 });
    queue.addTasks(middle, 3);
    queue.addTasks(other, 2);
    queue.addTasks(other, 1, { priority: 60 });
    queue.addTasks(high, 1, { priority: 0 });
    expect(Array.from({ length: 8 }, () => queue.start("priority"))).toEqual([high, other, middle, middle, other, middle, other, low]);
  });
});

describe("deadline", () => {
  test("the earliest deadline of all projects first, tasks without one last", () => {
    const queue = new Queue();
    const [first, second] = [queue.addProject({ priority: 90 }), queue.addProject()];
    queue.addTasks(first, 1, { priority: 100 });
    queue.addTasks(first, 1, { deadlineAt: HOUR_MS });
    queue.addTasks(second, 1, { deadlineAt: 300_000 });
    queue.addTasks(second, 1, { deadlineAt: 2 * HOUR_MS, priority: 100 });
    const reasons = () => queue.started.map((choice) => choice.reason);
    expect(Array.from({ length: 4 }, () => queue.start("deadline"))).toEqual([second, first, second, first]);
    expect(reasons()).toEqual(["earliest deadline", "earliest deadline", "earliest deadline", "weighted share, no deadline waits"]);
  });
});

describe("within a project", () => {
  test.each(strategies)("under %s the higher task priority goes first, then the older task", (strategy) => {
    const queue = new Queue();
    const project = queue.addProject();
    queue.addTasks(project, 1, { priority: 10 });
    queue.addTasks(project, 2, { priority: 70 });
    for (let start = 0; start < 3; start++) queue.start(strategy);
    expect(queue.started.map((choice) => choice.taskId)).toEqual(["task_2", "task_3", "task_1"]);
  });

  test.each(strategies)("under %s a task that has waited too long goes before all others", (strategy) => {
    const queue = new Queue();
    const project = queue.addProject();
    queue.addTasks(project, 1, { priority: 0 });
    queue.now = HOUR_MS + 60_000;
    queue.addTasks(project, 1, { priority: 100, deadlineAt: queue.now });
    queue.start(strategy);
    expect(queue.started.map(({ taskId, reason }) => ({ taskId, reason }))).toEqual([{ taskId: "task_1", reason: "waited 61 min" }]);
  });
});

describe("starvation", () => {
  test.each(strategies)("under %s one task at priority 10 starts although 500 at 90 were there before it", (strategy) => {
    const queue = new Queue();
    queue.addTasks(queue.addProject({ priority: 90 }), 500, { priority: 90, deadlineAt: 1 });
    const small = queue.addProject({ priority: 10 });
    queue.addTasks(small, 1, { priority: 10 });
    let startedAfterAging = 0;
    while (queue.start(strategy) !== small) {
      if (queue.now > HOUR_MS) startedAfterAging++;
      queue.now += 600_000;
    }
    expect(startedAfterAging).toBeLessThanOrEqual(2);
    expect(queue.at(0).tasks.length).toBeGreaterThan(400);
  });
});

type Step =
  | { kind: "add"; project: number; count: number; priority: number; deadlineIn: number | null }
  | { kind: "finish"; project: number }
  | { kind: "start" };
const projectCount = 4;
const projectIndex = fc.nat(projectCount - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      project: projectIndex,
      count: fc.integer({ min: 1, max: 12 }),
      priority: fc.nat(100),
      deadlineIn: fc.option(fc.integer({ min: 0, max: 5000 })),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("finish" as const), project: projectIndex }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("start" as const) }) },
);
const steps = fc.array(step, { minLength: 50, maxLength: 300, size: "max" });
const someProjects = fc.array(
  fc.record({
    weight: fc.integer({ min: 1, max: 9 }),
    priority: fc.nat(100),
    runningMax: fc.integer({ min: 1, max: 30 }),
    virtualTime: fc.nat(50),
  }),
  { minLength: projectCount, maxLength: projectCount },
);

/** Plays the steps; `onStart` is called before each start with who has work and room, and gets the one who started after it. */
function play(
  queue: Queue,
  strategy: SchedulingStrategy,
  agingMs: number,
  script: readonly Step[],
  onStart: (ready: number[]) => (started: number) => void,
): void {
  for (const one of script) {
    queue.now += 100;
    if (one.kind === "add") {
      queue.addTasks(one.project, one.count, {
        priority: one.priority,
        deadlineAt: one.deadlineIn === null ? null : queue.now + one.deadlineIn,
      });
    } else if (one.kind === "finish") {
      const project = queue.at(one.project);
      project.running = Math.max(0, project.running - 1);
    } else {
      const ready = queue.projects.flatMap((project, index) =>
        project.tasks.length > 0 && project.running < project.runningMax ? [index] : [],
      );
      const onStarted = onStart(ready);
      const started = queue.start(strategy, { agingMs });
      expect(started === undefined).toBe(ready.length === 0);
      if (started !== undefined) onStarted(started);
    }
  }
}

describe("properties", () => {
  test("two projects with work and room all the while: |Si/wi - Sj/wj| <= 1/wi + 1/wj over any stretch, exactly", () => {
    fc.assert(
      fc.property(
        someProjects,
        steps,
        fc.constantFrom("round-robin" as const, "weighted-round-robin" as const),
        fc.constantFrom(0, 1000, HOUR_MS),
        (projects, script, strategy, agingMs) => {
          const queue = new Queue();
          for (const project of projects) queue.addProject(project);
          const weights = queue.projects.map((project) => (strategy === "round-robin" ? 1 : project.weight));
          const weight = (index: number) => weights[index] ?? 0;
          // For each pair, Si*wj - Sj*wi since both became ready, in integers: now, and the least and most it was.
          let stretches = new Map<string, { now: number; min: number; max: number }>();
          play(queue, strategy, agingMs, script, (ready) => {
            const pairs = ready.flatMap((i) => ready.filter((j) => j > i).map((j) => [i, j] as const));
            stretches = new Map(pairs.map(([i, j]) => [`${i} ${j}`, stretches.get(`${i} ${j}`) ?? { now: 0, min: 0, max: 0 }]));
            return (started) => {
              for (const [i, j] of pairs) {
                const stretch = stretches.get(`${i} ${j}`);
                if (stretch === undefined) continue;
                stretch.now += started === i ? weight(j) : started === j ? -weight(i) : 0;
                stretch.min = Math.min(stretch.min, stretch.now);
                stretch.max = Math.max(stretch.max, stretch.now);
                expect(stretch.max - stretch.min).toBeLessThanOrEqual(weight(i) + weight(j));
              }
            };
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  test("a project with room and an aged task starts after at most 1 + wk/w starts of each other project, under every strategy", () => {
    fc.assert(
      fc.property(someProjects, steps, fc.constantFrom(...strategies), fc.constantFrom(0, 1000), (projects, script, strategy, agingMs) => {
        const queue = new Queue();
        for (const project of projects) queue.addProject(project);
        const weight = (index: number) => (strategy === "round-robin" ? 1 : queue.at(index).weight);
        // For each project that is owed a start: how often each other one started meanwhile.
        const waits = new Map<number, number[]>();
        play(queue, strategy, agingMs, script, (ready) => {
          for (const index of queue.projects.keys()) {
            const isOwed = ready.includes(index) && queue.at(index).tasks.some((task) => queue.now - task.queuedAt > agingMs);
            if (!isOwed) waits.delete(index);
            else if (!waits.has(index))
              waits.set(
                index,
                queue.projects.map(() => 0),
              );
          }
          return (started) => {
            waits.delete(started);
            for (const [index, starts] of waits) {
              starts[started] = (starts[started] ?? 0) + 1;
              expect(starts[started]).toBeLessThanOrEqual(1 + Math.floor(weight(started) / weight(index)));
            }
          };
        });
      }),
      { numRuns: 300 },
    );
  });

  test("the heads of each project are enough: all its tasks in their place give the same choice", () => {
    fc.assert(
      fc.property(someProjects, steps, fc.constantFrom(...strategies), (projects, script, strategy) => {
        const queue = new Queue();
        for (const project of projects) queue.addProject(project);
        play(queue, strategy, 1000, script, () => {
          const input = queue.input(strategy, { agingMs: 1000 });
          const whole = input.projects.map((project) => ({
            ...project,
            heads: queue.at(Number(project.projectId.slice("project_".length))).tasks,
          }));
          expect(schedule({ ...input, projects: whole })).toEqual(schedule(input));
          return () => undefined;
        });
      }),
      { numRuns: 50 },
    );
  });
});

describe("orderQueue", () => {
  test.each(strategies)("under %s it lists what would start, in the order in which it then does start", (strategy) => {
    const queue = new Queue();
    for (const weight of [1, 2, 5]) queue.addProject({ weight, priority: 10 * weight, running: 1, runningMax: 1 });
    for (let round = 0; round < 5; round++) {
      for (let project = 0; project < 3; project++)
        queue.addTasks(project, 1, { priority: round * 10, deadlineAt: round % 2 ? null : 1000 - round });
    }
    const tasks = queue.projects.flatMap((project) => project.tasks);
    const order = orderQueue({ ...queue.input(strategy), running: 5, runningMax: 5, tasks }, 12);
    for (const project of queue.projects) project.runningMax = 1000;
    for (let start = 0; start < 12; start++) queue.start(strategy);
    expect(order).toEqual(queue.started.map((choice) => choice.taskId));
    expect(order.length).toBe(12);
  });

  test("it ends with the queue and leaves out tasks of other projects", () => {
    const queue = new Queue();
    queue.addTasks(queue.addProject(), 2);
    queue.addTasks(queue.addProject(), 2);
    const tasks = queue.projects.flatMap((project) => project.tasks);
    const input = queue.input("round-robin");
    expect(orderQueue({ ...input, projects: input.projects.slice(0, 1), tasks }, 100)).toEqual(["task_1", "task_2"]);
  });
});
