import { z } from "zod";
import { boardRoutes } from "./board-routes.ts";
import { Branch } from "./branch.ts";
import { TaskBundle } from "./bundle.ts";
import { BrokerAnswer, BrokerCall } from "./broker.ts";
import { circuitRoutes } from "./circuit-routes.ts";
import { CircuitSummary, Hold } from "./circuit.ts";
import { AgentStatus } from "./agent.ts";
import { ConfigOrigin, SchedulingStrategy, Setting } from "./config.ts";
import { editRoutes } from "./edit-routes.ts";
import { Effect } from "./effect.ts";
import { Alert, AuditEntry, Event } from "./event.ts";
import { HookCategory, HookEvent } from "./hook.ts";
import { Duration, Timestamp } from "./ids.ts";
import { insightRoutes } from "./insight-routes.ts";
import { PoolNames, QueueLooks } from "./limits.ts";
import { messageRoutes } from "./message-routes.ts";
import { ChannelStatus } from "./notice.ts";
import { Project, ProjectName, ProjectPriority, ProjectWeight } from "./project.ts";
import { prdRoutes } from "./prd-routes.ts";
import { reportRoutes } from "./report-routes.ts";
import { after, limit, page, route, type Route } from "./route.ts";
import { LoopNote, Run, Worker } from "./run.ts";
import { RunToolCall } from "./run-tools.ts";
import { workflowRoutes } from "./workflow-routes.ts";
import { WorkflowName } from "./workflow.ts";
import { Checkpoint, ChosenDelivery, Task, TaskBody, TaskCounts, TaskPriority, TaskStatus, TaskTitle } from "./task.ts";

/** RFC 9457 problem: the body of every error. `code` is ours; `issues` names the fields of an `invalid` request. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum([
    "invalid",
    "unauthorized",
    "forbidden",
    "not_found",
    "conflict",
    "too_large",
    "too_many",
    "unavailable",
    "timeout",
    "cancelled",
    "internal",
  ]),
  issues: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  /** Milliseconds after which trying again makes sense. */
  retryAfterMs: Duration.optional(),
});
export type Problem = z.infer<typeof Problem>;

export const Health = z.object({
  status: z.enum(["starting", "ok", "degraded", "stopping"]),
  version: z.string(),
  /** What is wrong, in sentences. */
  problems: z.array(z.string()),
  circuits: CircuitSummary,
});
export type Health = z.infer<typeof Health>;

export const DaemonStatus = z.object({
  version: z.string(),
  pid: z.int(),
  home: z.string(),
  url: z.string(),
  startedAt: Timestamp,
  uptimeMs: Duration,
  status: Health.shape.status,
  paused: z.boolean(),
  strategy: SchedulingStrategy,
  counts: TaskCounts,
  projects: z.int(),
  workers: z.object({ max: z.int(), running: z.int() }),
  /** Bytes: the daemon itself, and all its agents with what they started. */
  memory: z.object({ daemonBytes: z.int(), agentsBytes: z.int() }),
  /** Tasks ended since the database was made, by how. */
  totals: z.object({ succeeded: z.int(), failed: z.int(), cancelled: z.int() }),
  pendingEffects: z.int(),
  openAlerts: z.int(),
  /** Of the last event: what was read before it is followed from here. */
  sequence: z.int().nonnegative(),
});
export type DaemonStatus = z.infer<typeof DaemonStatus>;

export const QueueStatus = z.object({
  paused: z.boolean(),
  strategy: SchedulingStrategy,
  queued: z.int(),
  max: z.int(),
  running: z.int(),
  looks: QueueLooks,
  /** The tasks that would start next, in the order the strategy gives now, at most 100. */
  next: z.array(z.object({ position: z.int().positive(), task: Task })),
  /** Due tasks that do not start now, by project and stage, and why: at most 100 such kinds. */
  held: z.array(Hold.extend({ project: ProjectName, workflow: z.string(), stage: z.string() })),
});
export type QueueStatus = z.infer<typeof QueueStatus>;

export const ProjectStatus = Project.extend({
  counts: TaskCounts,
  /** What is wrong with its configuration file now; the last good one is in force. */
  configError: z.string().nullable(),
  credentials: z.enum(["present", "missing", "not_needed"]),
});
export type ProjectStatus = z.infer<typeof ProjectStatus>;

/** `stop` leaves agents alive for the next start; `drain` waits for them; `kill` saves their work, ends them and queues their tasks again. */
export const StopMode = z.enum(["stop", "drain", "kill"]);
export type StopMode = z.infer<typeof StopMode>;

export const TaskDetail = Task.extend({
  /** Why it does not start now, though it is its time; null: nothing but its turn holds it up, or it is not queued. */
  hold: Hold.nullable(),
  runs: z.array(Run),
  effects: z.array(Effect),
  checkpoints: z.array(Checkpoint),
});
export type TaskDetail = z.infer<typeof TaskDetail>;

const DEPENDENCIES_MAX = 100;

/** A task, a project or a run is named by its id or by what people see: `api#42`, `api`. */
const CreateTask = z.strictObject({
  project: z.string().min(1),
  title: TaskTitle,
  body: TaskBody.default(""),
  /** `execute` changes the code; `plan` only writes a plan. */
  mode: z.enum(["execute", "plan"]).default("execute"),
  /** By its name; left out: that of the mode. */
  workflow: WorkflowName.optional(),
  /** Values for the workflow's parameters. */
  parameters: z.record(z.string(), z.string().max(10_000)).default({}),
  priority: TaskPriority.optional(),
  deadlineAt: Timestamp.optional(),
  delivery: ChosenDelivery.optional(),
  /** Pools of the configuration in which its runs need a place, besides those of its stages. */
  needs: PoolNames.default([]),
  dependsOn: z.array(z.string()).max(DEPENDENCIES_MAX).default([]),
  draft: z.boolean().default(false),
  /** Making the same task twice with one key makes one task. */
  idempotencyKey: z.string().min(1).max(100).optional(),
});

/** A task of the graph: only what is needed to draw it. */
const GraphTask = Task.pick({ id: true, key: true, title: true, status: true, reason: true, dependsOn: true, parentId: true });

/**
 * The open tasks, the oldest first, and behind them those that they depend on or are parts of. Of others nothing is there, so a
 * task may name one that is not.
 */
export const TaskGraph = z.object({
  tasks: z.array(GraphTask),
  /** Open tasks that there was no room for: the newest. */
  omitted: z.int().nonnegative(),
});
export type TaskGraph = z.infer<typeof TaskGraph>;

/** `created` is false for a task that was there already, filed with the same key. */
const FiledTask = Task.extend({ created: z.boolean() });
export type FiledTask = z.infer<typeof FiledTask>;

/** Every route of the API: the one table from which the server, the OpenAPI document, the typed client and the tests are made. */
export const routes = {
  health: route({
    method: "GET",
    path: "/health",
    auth: "none",
    summary: "Whether the daemon works; with status 503 while it starts or stops",
    response: Health,
  }),

  getDaemon: route({ method: "GET", path: "/api/daemon", summary: "The daemon and its numbers", response: DaemonStatus }),
  stopDaemon: route({
    method: "POST",
    path: "/api/daemon/stop",
    status: 202,
    summary: "Stop the daemon",
    body: z.strictObject({ mode: StopMode.default("stop") }),
    response: z.object({ stopping: z.literal(true) }),
  }),
  getConfig: route({
    method: "GET",
    path: "/api/config",
    summary: "Every setting in force and where it comes from",
    query: z.strictObject({ project: z.string().optional() }),
    response: z.object({ settings: z.array(Setting), origins: z.array(ConfigOrigin), error: z.string().nullable() }),
  }),

  listProjects: route({
    method: "GET",
    path: "/api/projects",
    summary: "The registered projects",
    query: z.strictObject({ limit, after }),
    response: page(ProjectStatus),
  }),
  registerProject: route({
    method: "POST",
    path: "/api/projects",
    status: 201,
    summary: "Register a git repository",
    body: z.strictObject({
      path: z.string().min(1),
      name: ProjectName.optional(),
      priority: ProjectPriority.optional(),
      weight: ProjectWeight.optional(),
    }),
    response: ProjectStatus,
  }),
  getProject: route({ method: "GET", path: "/api/projects/{project}", summary: "One project", response: ProjectStatus }),
  changeProject: route({
    method: "PATCH",
    path: "/api/projects/{project}",
    summary: "Change a project's priority or weight, or switch it on or off",
    body: z.strictObject({ priority: ProjectPriority.optional(), weight: ProjectWeight.optional(), enabled: z.boolean().optional() }),
    response: ProjectStatus,
  }),
  unregisterProject: route({
    method: "DELETE",
    path: "/api/projects/{project}",
    summary: "Forget a project: its open tasks are cancelled, its saved work stays",
    response: ProjectStatus,
  }),
  pollProject: route({
    method: "POST",
    path: "/api/projects/{project}/poll",
    summary: "Look at a project's issues now",
    response: z.object({ created: z.int(), ignored: z.int(), cancelled: z.int() }),
  }),

  listTasks: route({
    method: "GET",
    path: "/api/tasks",
    summary: "Tasks, the newest first",
    query: z.strictObject({
      project: z.string().optional(),
      status: TaskStatus.optional(),
      stage: z.string().optional(),
      recent: z.stringbool().optional().meta({ type: "boolean", description: "only the last 100 that ended" }),
      limit,
      after,
    }),
    response: page(Task),
  }),
  createTask: route({ method: "POST", path: "/api/tasks", status: 201, summary: "File a task", body: CreateTask, response: FiledTask }),
  getTask: route({
    method: "GET",
    path: "/api/tasks/{task}",
    summary: "One task with its runs, effects and checkpoints",
    response: TaskDetail,
  }),
  changeTask: route({
    method: "PATCH",
    path: "/api/tasks/{task}",
    summary: "Change how urgent a task is among those of its project",
    body: z.strictObject({ priority: TaskPriority }),
    response: Task,
  }),
  cancelTask: route({
    method: "POST",
    path: "/api/tasks/{task}/cancel",
    summary: "Cancel a task; its work is saved first",
    response: Task,
  }),
  retryTask: route({ method: "POST", path: "/api/tasks/{task}/retry", summary: "Queue an ended or blocked task again", response: Task }),
  approveTask: route({
    method: "POST",
    path: "/api/tasks/{task}/approve",
    summary: "Approve what a task waits with: it goes on, or is delivered",
    response: Task,
  }),
  denyTask: route({
    method: "POST",
    path: "/api/tasks/{task}/deny",
    summary: "Deny what a task waits with: it is cancelled, its work saved",
    body: z.strictObject({ message: z.string().max(10_000).default("") }),
    response: Task,
  }),
  getTaskTree: route({
    method: "GET",
    path: "/api/tasks/{task}/tree",
    summary: "A task with all that it and its children yielded, parents before their children; at most 1,000",
    response: z.object({ items: z.array(z.object({ depth: z.int().nonnegative(), task: Task })) }),
  }),
  listTaskNotes: route({
    method: "GET",
    path: "/api/tasks/{task}/notes",
    summary: "What the iterations of a task's loop left to each other, the oldest first",
    query: z.strictObject({ stage: z.string().optional() }),
    response: z.object({ items: z.array(LoopNote) }),
  }),
  rollBackTask: route({
    method: "POST",
    path: "/api/tasks/{task}/rollback",
    summary: "Go back to the end of an iteration of a task's loop: its files and notes are as they were then",
    body: z.strictObject({ iteration: z.int().min(1) }),
    response: Task,
  }),
  setDependencies: route({
    method: "PUT",
    path: "/api/tasks/{task}/dependencies",
    summary: "Say anew which tasks a task waits for, while it does not run; a cycle is refused",
    body: z.strictObject({ dependsOn: z.array(z.string()).max(DEPENDENCIES_MAX) }),
    response: Task,
  }),
  ...boardRoutes,
  ...editRoutes,
  getGraph: route({
    method: "GET",
    path: "/api/graph",
    summary: "The open tasks with what they wait for and what they are parts of",
    query: z.strictObject({ project: z.string().optional() }),
    response: TaskGraph,
  }),
  getTaskDiff: route({
    method: "GET",
    path: "/api/tasks/{task}/diff",
    answers: "text",
    summary: "What the task changed, as a patch",
    query: z.strictObject({ checkpoint: z.coerce.number().int().positive().optional().meta({ type: "integer" }) }),
    response: z.string(),
  }),
  restoreTask: route({
    method: "POST",
    path: "/api/tasks/{task}/restore",
    summary: "Write a task's saved work to a new folder",
    body: z.strictObject({ to: z.string().min(1), checkpoint: z.int().positive().optional() }),
    response: z.object({ path: z.string(), commit: z.string(), checkpoint: z.int().nullable() }),
  }),
  getTaskBundle: route({
    method: "GET",
    path: "/api/tasks/{task}/bundle",
    summary: "Prompts, patch, output of checks, cost and transcripts of a task, as files",
    response: TaskBundle,
  }),

  ...prdRoutes,

  ...workflowRoutes,

  listRuns: route({
    method: "GET",
    path: "/api/runs",
    summary: "Runs, the newest first",
    query: z.strictObject({
      project: z.string().optional(),
      task: z.string().optional(),
      open: z.stringbool().optional().meta({ type: "boolean" }),
      limit,
      after,
    }),
    response: page(Run),
  }),
  getRun: route({ method: "GET", path: "/api/runs/{run}", summary: "One run", response: Run }),
  getRunOutput: route({
    method: "GET",
    path: "/api/runs/{run}/output",
    answers: "stream",
    summary: "What the run's agent prints, line by line; ends with the run when `follow` is set",
    query: z.strictObject({
      follow: z.stringbool().default(false).meta({ type: "boolean" }),
      raw: z.stringbool().default(false).meta({ type: "boolean" }),
    }),
    response: z.object({ text: z.string() }),
  }),
  listRunHooks: route({
    method: "GET",
    path: "/api/runs/{run}/hooks",
    summary: "What the agent's hooks and the daemon told of a run, in the order it was taken in",
    query: z.strictObject({ category: HookCategory.optional(), limit, after }),
    response: page(HookEvent),
  }),
  receiveHook: route({
    method: "POST",
    path: "/api/hooks/{run}",
    auth: "run",
    status: 202,
    summary: "A hook of a run's agent",
    body: z.looseObject({ hook_event_name: z.string().min(1).max(100) }),
    response: z.object({ recorded: z.boolean() }),
  }),
  askBroker: route({
    method: "POST",
    path: "/api/broker/{run}",
    auth: "run",
    summary: "What the agent of a run asks of its project's forge: reads, and comments of its own",
    body: BrokerCall,
    response: BrokerAnswer,
  }),
  useRunTool: route({
    method: "POST",
    path: "/api/tools/{run}",
    auth: "run",
    summary: "What the agent of a run asks of Drover by a tool: messages to others, a note, a draft of a task",
    body: RunToolCall,
    response: z.object({ text: z.string() }),
  }),
  answerRun: route({
    method: "POST",
    path: "/api/runs/{run}/answer",
    summary: "Answer the question that a run's agent waits with",
    body: z.strictObject({ question: z.string().min(1), allow: z.boolean(), message: z.string().max(10_000).default("") }),
    response: Run,
  }),

  sendToRun: route({
    method: "POST",
    path: "/api/runs/{run}/send",
    summary: "Tell a run's agent something more while it works, where it takes messages",
    body: z.strictObject({ text: z.string().min(1).max(50_000) }),
    response: Run,
  }),

  attachToRun: route({
    method: "GET",
    path: "/api/runs/{run}/attach",
    summary: "The command that shows a person on this machine the window in which a run's agent works",
    query: z.strictObject({ readOnly: z.stringbool().default(false).meta({ type: "boolean" }) }),
    response: z.object({ command: z.array(z.string()).min(1) }),
  }),

  ...reportRoutes,

  listAgents: route({
    method: "GET",
    path: "/api/agents",
    summary: "The configured agents: whether they can be used, and what they do now",
    response: z.object({ items: z.array(AgentStatus) }),
  }),

  getQueue: route({ method: "GET", path: "/api/queue", summary: "What waits, in the order it would start", response: QueueStatus }),
  changeQueue: route({
    method: "PATCH",
    path: "/api/queue",
    summary: "Pause or resume: paused, nothing new starts and running work goes on",
    body: z.strictObject({ paused: z.boolean() }),
    response: QueueStatus,
  }),
  clearQueue: route({
    method: "DELETE",
    path: "/api/queue",
    summary: "Cancel every queued task",
    body: z.strictObject({ confirm: z.literal(true) }),
    response: z.object({ cancelled: z.int() }),
  }),

  listMerges: route({
    method: "GET",
    path: "/api/merges",
    summary: "Finished branches that wait to be merged, those in the merge queue first, in its order",
    query: z.strictObject({ project: z.string().optional() }),
    response: z.object({ items: z.array(Branch) }),
  }),
  addMerge: route({
    method: "POST",
    path: "/api/merges/{task}",
    summary: "Put the branch of a finished task at the end of the merge queue",
    response: Branch,
  }),
  removeMerge: route({
    method: "DELETE",
    path: "/api/merges/{task}",
    summary: "Take the branch of a task out of the merge queue; its pull request stays open",
    response: Branch,
  }),

  listWorkers: route({
    method: "GET",
    path: "/api/workers",
    summary: "The worker pool",
    response: z.object({ items: z.array(Worker), max: z.int() }),
  }),
  stopWorker: route({
    method: "POST",
    path: "/api/workers/{worker}/stop",
    params: z.object({ worker: z.coerce.number().int().positive().meta({ type: "integer" }) }),
    summary: "End what a worker does; its task is cancelled, its work saved",
    response: Worker,
  }),

  ...circuitRoutes,

  streamEvents: route({
    method: "GET",
    path: "/api/events",
    answers: "stream",
    summary: "Events as they are committed; resumes after `Last-Event-ID`",
    query: z.strictObject({
      after: z.coerce
        .number()
        .int()
        .nonnegative()
        .optional()
        .meta({ type: "integer", description: "sequence to begin after; default: now" }),
      project: z.string().optional(),
      task: z.string().optional(),
    }),
    response: Event,
  }),
  listEvents: route({
    method: "GET",
    path: "/api/events/history",
    summary: "Stored events in their order",
    query: z.strictObject({
      task: z.string().optional(),
      project: z.string().optional(),
      last: z.stringbool().optional().meta({ type: "boolean", description: "the newest ones instead of the first behind `after`" }),
      limit,
      after,
    }),
    response: page(Event),
  }),
  listAudit: route({
    method: "GET",
    path: "/api/audit",
    summary: "Who did what, the newest first",
    query: z.strictObject({ limit, after }),
    response: page(AuditEntry),
  }),
  listAlerts: route({
    method: "GET",
    path: "/api/alerts",
    summary: "What a person must see",
    query: z.strictObject({ open: z.stringbool().default(true).meta({ type: "boolean" }), limit, after }),
    response: page(Alert),
  }),
  dismissAlert: route({
    method: "POST",
    path: "/api/alerts/{alert}/dismiss",
    summary: "Close an alert that a person has seen to; should its cause come again, so does an alert",
    response: Alert,
  }),

  ...messageRoutes,

  listChannels: route({
    method: "GET",
    path: "/api/channels",
    summary: "The channels that alerts are sent to, and how that goes",
    response: z.object({ items: z.array(ChannelStatus) }),
  }),
  testChannel: route({
    method: "POST",
    path: "/api/channels/{channel}/test",
    summary: "Send a message to a channel now, whatever it is for; fails when that does not work",
    response: z.object({ channel: z.string(), sent: z.literal(true) }),
  }),

  backUpStore: route({
    method: "POST",
    path: "/api/store/backup",
    status: 201,
    summary: "Copy the database while it is in use",
    response: z.object({ path: z.string(), bytes: z.int(), sequence: z.int() }),
  }),
  verifyStore: route({
    method: "POST",
    path: "/api/store/verify",
    summary: "Check the database: integrity, references, counters, histories",
    response: z.object({ ok: z.boolean(), problems: z.array(z.string()), tasks: z.int(), events: z.int() }),
  }),

  receiveGithubWebhook: route({
    method: "POST",
    path: "/api/webhooks/github/{project}",
    auth: "signature",
    status: 202,
    summary: "GitHub's webhook of a project",
    body: z.unknown(),
    response: z.object({ accepted: z.boolean() }),
  }),

  ...insightRoutes,

  getOpenApi: route({
    method: "GET",
    path: "/openapi.json",
    summary: "This API as an OpenAPI 3.1 document",
    response: z.record(z.string(), z.unknown()),
  }),
  getDocs: route({ method: "GET", path: "/docs", answers: "html", summary: "This API as a page to read", response: z.string() }),
} as const satisfies Record<string, Route>;
export type Routes = typeof routes;
export type RouteName = keyof Routes;
