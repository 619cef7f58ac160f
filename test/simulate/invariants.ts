import type { Database } from "../../src/store/database.ts";
import { isHosted } from "./agents.ts";
import type { World } from "./world.ts";

/** What must hold of the rows at every moment. What must hold of processes is checked where they are started and ended. */
export function checkAlways(world: World, { reader }: Database): void {
  const running = reader.get<{ count: number }>("SELECT count(*) AS count FROM tasks WHERE status = 'running'")?.count ?? 0;
  const open = reader.get<{ count: number }>("SELECT count(*) AS count FROM runs WHERE finished_at IS NULL")?.count ?? 0;
  if (running !== open) world.fail(`${running} tasks are running, ${open} runs are open`);
  const byAccount = reader.all<{ account: string; count: number }>(
    "SELECT account, count(*) AS count FROM runs WHERE finished_at IS NULL GROUP BY account",
  );
  for (const { account, count } of byAccount) {
    const max = isHosted(account) ? world.hostedMax : world.agentMax;
    if (count > max) world.fail(`${count} runs of account ${account} are open, there are seats for ${max}`);
  }
}

/** Whether no task is open and no effect pending. */
export function isOver({ reader }: Database): boolean {
  const open = reader.get<{ open: number }>(
    `SELECT (SELECT count(*) FROM tasks WHERE status NOT IN ('succeeded', 'failed', 'cancelled'))
       + (SELECT count(*) FROM effects WHERE status = 'pending') AS open`,
  );
  return open?.open === 0;
}

interface TaskRow {
  id: string;
  project: string;
  number: number;
  status: string;
  reason: string | null;
  source_issue: number;
  branch: string | null;
  pull_number: number | null;
}

/** What must hold when no fault has happened for long: every issue came to an end, and the outside shows just that. */
export function checkAtRest(world: World, database: Database): void {
  checkAlways(world, database);
  checkHistory(world, database);
  const tasks = database.reader.all<TaskRow>(
    `SELECT tasks.id, projects.name AS project, number, status, reason, source_issue, branch, pull_number
     FROM tasks JOIN projects ON projects.id = project_id`,
  );
  const byIssue = new Map(tasks.map((task) => [`${task.project}#${task.source_issue}`, task]));
  for (const issue of world.issues.values()) {
    const key = `${issue.project}#${issue.number}`;
    if (issue.open && !byIssue.has(key)) world.fail(`issue ${key} never became a task`);
  }
  for (const task of tasks) checkTask(world, task);
  if (world.live.length > 0) world.fail(`${world.live.length} agents outlived their tasks`);
  const pending = database.reader.get<{ count: number }>("SELECT count(*) AS count FROM effects WHERE status = 'pending'")?.count ?? 0;
  if (pending > 0) world.fail(`${pending} effects were never carried out`);
}

/** What costs a look at every row, and can't be undone once it is wrong. */
function checkHistory(world: World, { reader }: Database): void {
  const doubled = reader.get<{ source_key: string }>(
    "SELECT source_key FROM tasks GROUP BY project_id, source_issue HAVING count(*) > 1 AND source_issue IS NOT NULL",
  );
  if (doubled) world.fail(`the same issue became two tasks: ${doubled.source_key}`);
  const repeated = reader.get<{ run_id: string }>(
    "SELECT run_id FROM events WHERE type = 'run.session_started' GROUP BY run_id HAVING count(*) > 1",
  );
  if (repeated) world.fail(`what one agent said was stored twice: ${repeated.run_id}`);
  const wasted = reader.get<{ id: string; attempt: number; counted: number }>(
    `SELECT tasks.id, tasks.attempt, count(*) AS counted FROM tasks JOIN runs ON runs.task_id = tasks.id
     WHERE NOT (runs.outcome ->> 'status' = 'cancelled' AND runs.outcome ->> 'by' = 'shutdown')
       AND NOT (runs.outcome ->> 'status' = 'failed' AND runs.outcome ->> 'reason' IN ('usage_limit', 'overloaded', 'unreachable'))
     GROUP BY tasks.id HAVING tasks.attempt <> counted`,
  );
  if (wasted) world.fail(`task ${wasted.id} has ${wasted.counted} runs that count, and ${wasted.attempt} attempts: waiting is none`);
  const forgotten = reader.get<{ id: string }>(
    `SELECT later.id FROM runs AS later JOIN runs AS earlier ON earlier.task_id = later.task_id AND earlier.epoch = later.epoch - 1
     WHERE earlier.outcome ->> 'reason' IN ('usage_limit', 'overloaded') AND earlier.agent = later.agent
       AND earlier.session_id IS NOT later.resumes_session_id`,
  );
  if (forgotten) world.fail(`run ${forgotten.id} did not go on in the session that waited for its provider`);
  const overused = reader.get<{ id: string }>("SELECT id FROM tasks WHERE attempt > attempt_max");
  if (overused) world.fail(`task ${overused.id} has used more attempts than it may`);
}

function checkTask(world: World, task: TaskRow): void {
  const key = `${task.project}#${task.number}`;
  if (!["succeeded", "failed", "cancelled"].includes(task.status)) world.fail(`task ${key} never ended: ${task.status} ${task.reason}`);
  const pull = task.branch === null ? undefined : world.pulls.get(`${task.project}:${task.branch}`);
  if (task.status === "succeeded" && (!pull || pull.number !== task.pull_number))
    world.fail(`task ${key} succeeded without its pull request`);
  if (task.status !== "succeeded" && pull) world.fail(`task ${key} is ${task.status} and has a pull request`);
  const issue = world.issues.get(`${task.project}#${task.source_issue}`);
  if (task.status === "cancelled" && issue?.open) world.fail(`task ${key} was cancelled (${task.reason}) though its issue is open`);
  const comments = [...world.comments.values()].filter((comment) => comment.issue === `${task.project}#${task.source_issue}`);
  if (task.status === "succeeded" && comments.length !== 1) world.fail(`issue of ${key} has ${comments.length} comments of ours`);
}
