import type { Pass, PassName, PassResults, PlannedTask, Prd, PrdRequirement, TestedTask } from "../contract/prd.ts";
import { findCycle } from "./dependencies.ts";

/** What a decomposition has come to so far, pass after pass; the first that is not there is the next. */
export type Decomposition = { readonly [Name in PassName]?: PassResults[Name] };

/** More acceptance tests, or more requirements, than this are more than one task: it is split. */
const TESTS_MAX = 8;
const REQUIREMENTS_MAX = 4;
/** Fewer words than this say nothing that a test could look at. */
const WORDS_MIN = 3;
/** Words that leave open what would be seen, unless there is a figure or a quotation beside them. */
const VAGUE =
  /\b(?:works?|fine|good|nice|properly|correctly|user[- ]friendly|intuitive|fast|quick|easy|robust|as expected|appropriate)\b/iu;
const EXACT = /[\d"'`“”]/u;

/** What is wrong with the result of a pass, a sentence each, for the one who gave it; empty: it is taken. */
export function findingsOf<Name extends PassName>(pass: Name, prd: Prd, before: Decomposition, result: PassResults[Name]): string[] {
  const whole: Decomposition = { ...before, [pass]: result };
  switch (pass) {
    case "phases":
      return phaseFindings(prd, whole.phases?.phases ?? []);
    case "tasks":
      return taskFindings(prd, whole.phases?.phases ?? [], whole.tasks?.tasks ?? []);
    case "acceptance":
      return testFindings(whole.tasks?.tasks ?? [], whole.acceptance?.tests ?? []);
    case "order":
      return orderFindings(prd, whole.phases?.phases ?? [], whole.order?.tasks ?? []);
  }
  return [];
}

/** The tasks of the passes before with their tests, in an order in which each comes behind those it needs; as they came where there is none. */
export function orderedTasks({ tasks, acceptance }: Decomposition): TestedTask[] {
  const tests = new Map(acceptance?.tests.map((one) => [one.task, one.acceptance]));
  const tested = (tasks?.tasks ?? []).map((task) => ({ ...task, acceptance: tests.get(task.id) ?? [] }));
  const inWaves = wavesOf(tested).flat();
  const byId = new Map(tested.map((task) => [task.id, task]));
  return inWaves.length < tested.length ? tested : inWaves.flatMap((id) => byId.get(id) ?? []);
}

/** Tasks, by id, that can be worked on at the same time, one wave after the other. Those that wait for each other are in none. */
export function wavesOf(tasks: readonly Pick<PlannedTask, "id" | "after">[]): string[][] {
  const waves: string[][] = [];
  const done = new Set<string>();
  for (let left = [...tasks]; left.length > 0;) {
    const wave = left.filter(({ after }) => after.every((id) => done.has(id)));
    if (wave.length === 0) break;
    for (const { id } of wave) done.add(id);
    waves.push(wave.map(({ id }) => id));
    left = left.filter((task) => !wave.includes(task));
  }
  return waves;
}

/**
 * The four passes as the PRD's own structure gives them, without a model: features are phases, requirements tasks, criteria
 * acceptance tests. What has to be mended yet is in the findings.
 */
export function previewPasses(prd: Prd): Pass[] {
  const phases = {
    phases: prd.features.map(({ name, description, requirements }) => ({
      name,
      goal: description,
      requirements: requirements.map(({ id }) => id),
    })),
  };
  const tasks = { tasks: prd.features.flatMap(({ name, requirements }) => requirements.map((one) => taskOf(one, name))) };
  const acceptance = {
    tests: requirementsOf(prd).flatMap(({ id, acceptance: criteria }) =>
      criteria.length === 0 ? [] : [{ task: id, acceptance: criteria }],
    ),
  };
  const before = { phases, tasks, acceptance };
  const order = { tasks: orderedTasks(before) };
  const pass = <Name extends PassName>(name: Name, result: PassResults[Name]): Pass => ({
    pass: name,
    by: "structure",
    at: null,
    findings: findingsOf(name, prd, before, result),
    result,
  });
  return [pass("phases", phases), pass("tasks", tasks), pass("acceptance", acceptance), pass("order", order)];
}

export function requirementsOf({ features }: Prd): PrdRequirement[] {
  return features.flatMap(({ requirements }) => requirements);
}

function taskOf({ id, title, description, after }: PrdRequirement, phase: string): PlannedTask {
  return { id, title, body: description, phase, requirements: [id], after };
}

function phaseFindings(prd: Prd, phases: PassResults["phases"]["phases"]): string[] {
  const known = requirementsOf(prd).map(({ id }) => id);
  const named = phases.flatMap(({ requirements }) => requirements);
  return [
    ...twice(phases.map(({ name }) => name)).map((name) => `There are two phases ${name}: give each a name of its own.`),
    ...named.filter((id) => !known.includes(id)).map((id) => `There is no requirement ${id}: name only those of the PRD.`),
    ...known.filter((id) => !named.includes(id)).map((id) => `Requirement ${id} is in no phase: put it into one.`),
    ...twice(named).map((id) => `Requirement ${id} is in two phases: put it into one.`),
  ];
}

function taskFindings(prd: Prd, phases: PassResults["phases"]["phases"], tasks: readonly PlannedTask[]): string[] {
  const ids = new Set(tasks.map(({ id }) => id));
  const known = new Set(requirementsOf(prd).map(({ id }) => id));
  const numbers = new Map(phases.map(({ name }, index) => [name, index]));
  const numberOf = (id: string) => numbers.get(tasks.find((task) => task.id === id)?.phase ?? "") ?? 0;
  const own = tasks.flatMap(({ id, phase, requirements, after }) => [
    ...(numbers.has(phase)
      ? []
      : [`Task ${id} is of the phase ${phase}, which is not there. There is: ${[...numbers.keys()].join(", ")}.`]),
    ...requirements.filter((one) => !known.has(one)).map((one) => `Task ${id} serves the requirement ${one}, which is not there.`),
    ...after.filter((one) => !ids.has(one)).map((one) => `Task ${id} comes after ${one}, which is not there.`),
    ...after
      .filter((one) => ids.has(one) && numberOf(one) > numberOf(id))
      .map((one) => `Task ${id} comes after ${one}, which is of a later phase: move one of them.`),
  ]);
  const served = new Set(tasks.flatMap(({ requirements }) => requirements));
  const cycle = findCycle(tasks.flatMap(({ id, after }) => after.map((one) => ({ task: id, dependsOn: one }))));
  return [
    ...twice(tasks.map(({ id }) => id)).map((id) => `There are two tasks ${id}: give each an id of its own.`),
    ...own,
    ...[...known].filter((id) => !served.has(id)).map((id) => `No task serves the requirement ${id}: add it to one, or add a task.`),
    ...(cycle ? [`These tasks wait for each other: ${[...cycle, cycle[0]].join(" -> ")}.`] : []),
  ];
}

function testFindings(tasks: readonly PlannedTask[], tests: PassResults["acceptance"]["tests"]): string[] {
  const named = tests.map(({ task }) => task);
  const ids = new Set(tasks.map(({ id }) => id));
  return [
    ...twice(named).map((id) => `The tests of task ${id} are listed twice.`),
    ...named.filter((id) => !ids.has(id)).map((id) => `There is no task ${id} to have tests.`),
    ...[...ids].filter((id) => !named.includes(id)).map((id) => `Task ${id} has no acceptance test: say how one sees that it is done.`),
    ...tests.flatMap(({ task, acceptance }) => acceptance.filter(isUntestable).map((test) => untestable(task, test))),
  ];
}

function orderFindings(prd: Prd, phases: PassResults["phases"]["phases"], tasks: readonly TestedTask[]): string[] {
  const places = new Map(tasks.map(({ id }, index) => [id, index]));
  const own = tasks.flatMap(({ id, requirements, after, acceptance }, index) => [
    ...(acceptance.length === 0 ? [`Task ${id} has no acceptance test: say how one sees that it is done.`] : []),
    ...acceptance.filter(isUntestable).map((test) => untestable(id, test)),
    ...(acceptance.length > TESTS_MAX
      ? [`Task ${id} is too big: ${acceptance.length} acceptance tests, at most ${TESTS_MAX}. Split it.`]
      : []),
    ...(requirements.length > REQUIREMENTS_MAX
      ? [`Task ${id} is too big: it serves ${requirements.length} requirements, at most ${REQUIREMENTS_MAX}. Split it.`]
      : []),
    ...after
      .filter((one) => (places.get(one) ?? -1) > index)
      .map((one) => `Task ${id} stands before ${one}, which it comes after: put them in order.`),
  ]);
  return [...taskFindings(prd, phases, tasks), ...own];
}

function isUntestable(test: string): boolean {
  return test.split(/\s+/u).length < WORDS_MIN || (VAGUE.test(test) && !EXACT.test(test));
}

function untestable(task: string, test: string): string {
  return `An acceptance test of task ${task} says nothing that a test could see: ${JSON.stringify(test)}. Say what goes in and what comes out.`;
}

/** Those that come more than once, each once. */
function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
