import { expect, test } from "vitest";
import type { Branch } from "./branch.ts";
import type { Alert } from "./event.ts";
import type { Run, RunState } from "./run.ts";
import type { Task } from "./task.ts";
import { rankAttention, type AttentionFacts } from "./attention.ts";

const none: AttentionFacts = { tasks: [], runs: [], alerts: [], circuits: [], branches: [] };
const alert = (change: Partial<Alert>): Alert => ({
  id: "alert_1",
  kind: "publish_failed",
  subject: "api#1",
  message: "It was refused.",
  count: 1,
  projectId: null,
  taskId: null,
  raisedAt: 5,
  lastAt: 5,
  resolvedAt: null,
  ...change,
});
/** Only what matters to the ranking. */
const part = <Whole>(fields: Partial<Whole>) => fields as Whole;
const blocked = (id: Task["id"], reason: string, updatedAt: number) =>
  part<Task>({
    id,
    key: id,
    status: "blocked",
    reason,
    title: "Sum",
    message: "Why.",
    updatedAt,
    projectId: "project_1",
    pullRequest: null,
  });
const asks = (questions: Run["questions"], state: RunState["state"]) =>
  part<Run>({
    id: "run_1",
    taskId: "task_9",
    taskKey: "api#9",
    projectId: "project_1",
    outcome: null,
    state: part<RunState>({ state }),
    questions,
  });
const question = { id: "q1", tool: "Bash", input: "{}", askedAt: 90 };

test("what holds an agent up comes before what is only to be seen, and of one kind the oldest", () => {
  const ranked = rankAttention({
    tasks: [blocked("task_1", "approval", 20), blocked("task_2", "approval", 10), blocked("task_3", "base_conflict", 1)],
    runs: [asks([question], "waiting_permission")],
    alerts: [alert({}), alert({ id: "alert_2", kind: "task_failed", subject: "api#4", taskId: "task_4" })],
    circuits: [{ id: "system", level: "system", state: "open", failures: 3, openUntil: 9, trialRunId: null, message: null }],
    branches: [
      part<Branch>({
        taskId: "task_5",
        taskKey: "api#5",
        state: "open",
        place: null,
        title: "T",
        pullRequest: { number: 1, url: "u" },
        updatedAt: 1,
      }),
    ],
  });
  expect(ranked.map(({ kind, id }) => [kind, id])).toEqual([
    ["permission", "question:run_1:q1"],
    ["circuit", "circuit:system"],
    ["approval", "task:task_2"],
    ["approval", "task:task_1"],
    ["conflict", "task:task_3"],
    ["failed", "alert:alert_2"],
    ["alert", "alert:alert_1"],
    ["review", "review:task_5"],
  ]);
});

test("an alert about what is there anyway adds nothing, and neither does a resolved one", () => {
  const ranked = rankAttention({
    ...none,
    tasks: [blocked("task_1", "approval", 20)],
    circuits: [{ id: "worker:a", level: "worker", state: "half_open", failures: 3, openUntil: null, trialRunId: null, message: "m" }],
    alerts: [
      alert({ kind: "approval_wanted", taskId: "task_1" }),
      alert({ id: "alert_2", kind: "circuit_open", subject: "worker:a" }),
      alert({ id: "alert_3", resolvedAt: 7 }),
    ],
  });
  expect(ranked.map(({ id }) => id)).toEqual(["circuit:worker:a", "task:task_1"]);
});

test("a question has what an answer needs; a merge queue needs nobody", () => {
  const ranked = rankAttention({
    ...none,
    runs: [asks([question], "waiting_answer")],
    branches: [part<Branch>({ state: "open", place: 1, pullRequest: { number: 1, url: "u" } })],
  });
  expect(ranked).toEqual([
    {
      id: "question:run_1:q1",
      kind: "question",
      subject: "api#9",
      text: "Bash {}",
      since: 90,
      projectId: "project_1",
      taskId: "task_9",
      runId: "run_1",
      question,
      alertId: null,
      circuitId: null,
      url: null,
    },
  ]);
});
