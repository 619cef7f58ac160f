import { expect, test } from "vitest";
import type { PassResults, Prd, TestedTask } from "../contract/prd.ts";
import { findingsOf, orderedTasks, previewPasses, wavesOf } from "./decomposition.ts";

const requirement = (id: string, after: string[] = [], acceptance = ["1 and 2 make 3"]) => ({
  id,
  title: id,
  description: "",
  acceptance,
  after,
});
const prd: Prd = {
  title: "Sums",
  summary: "",
  constraints: [],
  outOfScope: [],
  features: [
    { name: "Core", description: "", requirements: [requirement("R1"), requirement("R2", ["R1"])] },
    { name: "Edge", description: "", requirements: [requirement("R3", ["R1"])] },
  ],
};
const phases: PassResults["phases"] = {
  phases: [
    { name: "Core", goal: "", requirements: ["R1", "R2"] },
    { name: "Edge", goal: "", requirements: ["R3"] },
  ],
};
const task = (id: string, more: Partial<TestedTask> = {}): TestedTask => ({
  id,
  title: id,
  body: "",
  phase: "Core",
  requirements: ["R1", "R2", "R3"],
  after: [],
  acceptance: ["1 and 2 make 3"],
  ...more,
});

test("a PRD's structure gives all four passes, in an order in which each comes behind those it needs", () => {
  const passes = previewPasses({ ...prd, features: prd.features.map((one) => ({ ...one, requirements: one.requirements.toReversed() })) });
  expect(passes.map(({ pass, by, findings }) => [pass, by, findings])).toEqual([
    ["phases", "structure", []],
    ["tasks", "structure", []],
    ["acceptance", "structure", []],
    ["order", "structure", []],
  ]);
  const order = passes.at(-1)?.result as PassResults["order"];
  expect(order.tasks.map(({ id, phase, after }) => [id, phase, after])).toEqual([
    ["R1", "Core", []],
    ["R2", "Core", ["R1"]],
    ["R3", "Edge", ["R1"]],
  ]);
  expect(wavesOf(order.tasks)).toEqual([["R1"], ["R2", "R3"]]);
});

test("phases hold each requirement once", () => {
  const wrong = {
    phases: [
      { name: "A", goal: "", requirements: ["R1", "R9"] },
      { name: "A", goal: "", requirements: ["R1", "R2"] },
    ],
  };
  expect(findingsOf("phases", prd, {}, wrong)).toEqual([
    "There are two phases A: give each a name of its own.",
    "There is no requirement R9: name only those of the PRD.",
    "Requirement R3 is in no phase: put it into one.",
    "Requirement R1 is in two phases: put it into one.",
  ]);
  expect(findingsOf("phases", prd, {}, phases)).toEqual([]);
});

test.each<[string, TestedTask[], string]>([
  [
    "a requirement that no task covers",
    [task("T1", { requirements: ["R1", "R2"] })],
    "No task serves the requirement R3: add it to one, or add a task.",
  ],
  ["a circle", [task("T1", { after: ["T2"] }), task("T2", { after: ["T1"] })], "These tasks wait for each other: T1 -> T2 -> T1."],
  ["itself before it", [task("T1", { after: ["T1"] })], "These tasks wait for each other: T1 -> T1."],
  ["a task that is not there", [task("T1", { after: ["T9"] })], "Task T1 comes after T9, which is not there."],
  ["a phase that is not there", [task("T1", { phase: "X" })], "Task T1 is of the phase X, which is not there. There is: Core, Edge."],
  [
    "a later phase",
    [task("T1", { after: ["T2"] }), task("T2", { phase: "Edge" })],
    "Task T1 comes after T2, which is of a later phase: move one of them.",
  ],
  ["two of one id", [task("T1"), task("T1")], "There are two tasks T1: give each an id of its own."],
  [
    "a requirement that is not there",
    [task("T1", { requirements: ["R1", "R2", "R3", "R9"] })],
    "Task T1 serves the requirement R9, which is not there.",
  ],
])("tasks with %s are sent back", (_what, tasks, finding) => {
  expect(findingsOf("tasks", prd, { phases }, { tasks })).toContain(finding);
  expect(findingsOf("order", prd, { phases }, { tasks })).toContain(finding);
});

test("the last pass also sends back what is too big, untestable or not in order", () => {
  const tasks = [
    task("T1", { acceptance: Array.from({ length: 9 }, (_, index) => `case ${index} gives ${index}`), after: ["T2"] }),
    task("T2", { acceptance: [] }),
    task("T3", { acceptance: ["It works properly and is fast", "Fine", "it works for 3 users"] }),
  ];
  expect(findingsOf("order", prd, { phases }, { tasks })).toEqual([
    "Task T1 is too big: 9 acceptance tests, at most 8. Split it.",
    "Task T1 stands before T2, which it comes after: put them in order.",
    "Task T2 has no acceptance test: say how one sees that it is done.",
    'An acceptance test of task T3 says nothing that a test could see: "It works properly and is fast". Say what goes in and what comes out.',
    'An acceptance test of task T3 says nothing that a test could see: "Fine". Say what goes in and what comes out.',
  ]);
});

test("acceptance tests belong to tasks, all of which have some", () => {
  const tests = [
    { task: "T1", acceptance: ["1 and 2 make 3"] },
    { task: "T9", acceptance: ["1 and 2 make 3"] },
  ];
  expect(findingsOf("acceptance", prd, { phases, tasks: { tasks: [task("T1"), task("T2")] } }, { tests })).toEqual([
    "There is no task T9 to have tests.",
    "Task T2 has no acceptance test: say how one sees that it is done.",
  ]);
});

test("tasks that wait for each other are left as they came", () => {
  const tasks = [task("T1", { after: ["T2"] }), task("T2", { after: ["T1"] })];
  expect(orderedTasks({ tasks: { tasks }, acceptance: { tests: [] } }).map(({ id, acceptance }) => [id, acceptance])).toEqual([
    ["T1", []],
    ["T2", []],
  ]);
});
