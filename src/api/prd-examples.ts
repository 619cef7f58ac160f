import type { Pass, Prd, TestedTask } from "../contract/prd.ts";
import type { Task } from "../contract/task.ts";

const prd: Prd = {
  title: "Sums on the command line",
  summary: "People want to add numbers.",
  constraints: ["No new dependency"],
  outOfScope: [],
  features: [
    {
      name: "Adding",
      description: "",
      requirements: [{ id: "R1", title: "The sum of two numbers", description: "", acceptance: ["sum(1, 2) is 3"], after: [] }],
    },
  ],
};

const planned: TestedTask = {
  id: "T1",
  title: "The sum of two numbers",
  body: "A function that the rest can use.",
  phase: "Adding",
  requirements: ["R1"],
  after: [],
  acceptance: ["sum(1, 2) is 3"],
};

const passes: Pass[] = [{ pass: "order", by: "agent", at: 1_767_262_500_000, findings: [], result: { tasks: [planned] } }];

/** Those of the routes of PRDs, for the task that the others are about. */
export const prdExamples = (task: Task) => {
  const built = { ...task, title: prd.title, body: JSON.stringify(prd, null, 2), workflow: "prd" };
  const status = { task: built, prd, passes, waves: [["T1"]] };
  return {
    getPrdTemplate: { response: "# Sums on the command line\n" },
    previewPrd: {
      body: { project: "api", file: "sums.json", text: JSON.stringify(prd) },
      response: {
        prd,
        passes,
        waves: [["T1"]],
        estimate: {
          tasks: 1,
          workers: 2,
          costUsd: { low: 0.8, high: 4.5 },
          durationMs: { low: 780_000, high: 3_300_000 },
          basis: { kind: "default" as const, tasks: 0 },
        },
      },
    },
    runPrd: { body: { project: "api", file: "sums.json", text: JSON.stringify(prd) }, response: { ...built, created: true } },
    getPrd: { response: status },
    changePass: { body: { result: { tasks: [planned] } }, response: status },
    getTaskBundle: { response: { task: task.key, files: [{ name: "run-1/prompt.md", text: "You work in a git repository.\n" }] } },
  };
};
