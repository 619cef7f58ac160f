import type { AgentStatus } from "../contract/agent.ts";
import type { Card } from "../contract/board.ts";
import type { Branch } from "../contract/branch.ts";
import type { Account, Circuit } from "../contract/circuit.ts";
import type { Effect } from "../contract/effect.ts";
import type { Alert, AuditEntry, Event } from "../contract/event.ts";
import type { HookEvent } from "../contract/hook.ts";
import type { Message, Subscription } from "../contract/message.ts";
import type { ChannelStatus } from "../contract/notice.ts";
import type { ResponseOf } from "../contract/control.ts";
import type { ProjectStatus, RouteName } from "../contract/routes.ts";
import type { WorkflowVersion } from "../contract/workflow.ts";
import type { Report } from "../contract/report.ts";
import type { Run, Worker } from "../contract/run.ts";
import type { Task, TaskCounts } from "../contract/task.ts";
import { prdExamples } from "./prd-examples.ts";

const at = 1_767_262_500_000;
const uuid = (last: string) => `019b7a2e-5c00-7000-8000-${last.padStart(12, "0")}`;
const head = "9fceb02d0ae598e95dc970b74767f19372d61af8";
const counts: TaskCounts = { draft: 0, queued: 3, running: 1, waiting: 0, blocked: 0, succeeded: 12, failed: 1, cancelled: 0 };

const project: ProjectStatus = {
  id: `project_${uuid("1")}`,
  name: "api",
  path: "/home/ada/code/api",
  forge: "github",
  repository: "example/api",
  remote: "https://github.com/example/api.git",
  baseBranch: "main",
  priority: 50,
  weight: 1,
  enabled: true,
  registeredAt: at - 86_400_000,
  polledAt: at - 60_000,
  lastError: null,
  counts,
  configError: null,
  credentials: "present",
};

const receipt = {
  taskId: `task_${uuid("2")}`,
  recipient: "api#42",
  state: "pending",
  reason: null,
  runId: null,
  deliveredAt: null,
  replayedAt: null,
} as const;
const message: Message = {
  id: `message_${uuid("9")}`,
  projectId: project.id,
  project: "api",
  sender: { by: "person", name: "cli" },
  recipient: { to: "task", task: "api#42" },
  payload: { kind: "share", text: "The tables have moved to `db/`." },
  receipts: [receipt],
  expiresAt: null,
  answer: null,
  closedAt: null,
  createdAt: at,
};
const query: Message = {
  ...message,
  id: `message_${uuid("a")}`,
  payload: { kind: "query", text: "Which version of the API is meant?", timeoutMs: 600_000 },
  expiresAt: at + 600_000,
};
const deadMessage: Message = {
  ...message,
  recipient: { to: "task", task: "api#41" },
  receipts: [{ ...receipt, recipient: "api#41", state: "dead", reason: "ended" }],
};
const subscription: Subscription = { project: "api", topic: "schema", task: "api#42", taskId: `task_${uuid("2")}`, since: at };

const task: Task = {
  id: `task_${uuid("2")}`,
  projectId: project.id,
  project: "api",
  number: 42,
  key: "api#42",
  title: "Answer 404 for an unknown order",
  body: "GET /orders/9 answers 500 when there is no such order.",
  contentHash: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
  source: { kind: "github", key: "issue:7", issue: 7, url: "https://github.com/example/api/issues/7", actor: "ada" },
  workflow: "issue",
  workflowVersion: 1,
  parameters: {},
  delivery: "pull_request",
  status: "running",
  reason: null,
  message: null,
  needs: [],
  stage: "solve",
  priority: 50,
  deadlineAt: null,
  runAfter: at,
  attempt: 1,
  attemptMax: 3,
  iteration: 1,
  epoch: 1,
  dependsOn: [],
  parentId: null,
  branch: "drover/7-answer-404-for-an-unknown-order",
  pullRequest: null,
  usage: { inputTokens: 5200, outputTokens: 830, cacheReadTokens: 41_000, costUsdMicros: 84_000 },
  createdAt: at,
  updatedAt: at + 900,
  startedAt: at + 900,
  finishedAt: null,
};

const workflow: WorkflowVersion = {
  project: null,
  name: "issue",
  version: 1,
  file: null,
  workflow: {
    name: "issue",
    description: "One agent changes the code, our checks decide.",
    parameters: {},
    stages: [
      {
        name: "implement",
        agent: null,
        model: null,
        effort: null,
        kind: "worker",
        material: null,
        prompt: "{{> request}}",
        followUp: null,
        tools: null,
        checks: "project",
        gate: null,
        checkFirst: false,
        cleanChecks: false,
        limits: {},
        loop: null,
        yields: "commit",
        pass: null,
        children: null,
        needs: [],
        approval: false,
        approvalMaxMs: null,
        onApprovalMax: null,
      },
    ],
    partials: {},
  },
  acceptedAt: at,
  inForce: true,
};

const agent: AgentStatus = {
  name: "claude",
  driver: "claude",
  found: true,
  program: "/usr/local/bin/claude",
  version: "2.1.329",
  loggedIn: true,
  takesMessages: true,
  problem: null,
  runs: [{ id: `run_${uuid("3")}`, taskKey: "api#42", stage: "solve", progress: "working", state: null }],
};

const run: Run = {
  id: `run_${uuid("3")}`,
  taskId: task.id,
  taskKey: task.key,
  projectId: project.id,
  stage: "solve",
  attempt: 1,
  iteration: 1,
  epoch: 1,
  worker: 1,
  agent: "claude",
  kind: "worker",
  driver: "claude",
  isolation: "process",
  progress: "working",
  state: {
    state: "waiting_permission",
    since: at + 30_000,
    confidence: 1,
    evidence: ["it asks to use Bash"],
  },
  outcome: null,
  leaseExpiresAt: at + 60_000,
  process: { bootId: "0a1b2c3d-0000-4000-8000-000000000000", pid: 4711, startTime: "8861042" },
  sessionId: uuid("9"),
  resumesSessionId: null,
  baseCommit: "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
  questions: [{ id: "q1", tool: "Bash", input: '{"command":"npm test"}', askedAt: at + 30_000 }],
  usage: task.usage,
  outputOffset: 18_204,
  startedAt: at + 900,
  finishedAt: null,
  progressAt: at + 30_000,
};

const card: Card = {
  id: task.id,
  key: task.key,
  project: task.project,
  title: task.title,
  status: task.status,
  reason: null,
  message: null,
  workflow: task.workflow,
  stage: task.stage,
  priority: task.priority,
  attempt: 1,
  iteration: 1,
  parentId: null,
  costUsdMicros: task.usage.costUsdMicros,
  pullRequest: null,
  branch: null,
  run: { id: run.id, agent: run.agent, progress: run.progress, state: "running" },
  createdAt: task.createdAt,
  updatedAt: task.updatedAt,
};

const effect: Effect = {
  id: `effect_${uuid("4")}`,
  sequence: 9,
  projectId: project.id,
  taskId: task.id,
  epoch: 1,
  payload: { kind: "push", branch: "drover/7-answer-404-for-an-unknown-order", commit: head },
  status: "pending",
  attempt: 0,
  nextAt: at + 60_000,
  lastError: null,
  createdAt: at + 60_000,
};

const event: Event = {
  sequence: 118,
  at: at + 900,
  type: "task.status_changed",
  projectId: project.id,
  taskId: task.id,
  runId: null,
  data: { from: "queued", to: "running", reason: null, message: null },
};

const alert: Alert = {
  id: `alert_${uuid("5")}`,
  kind: "poll_failed",
  subject: "api",
  message: "GitHub did not answer for 15 minutes. Nothing was changed; the next look is in 5 minutes.",
  count: 3,
  projectId: project.id,
  taskId: null,
  raisedAt: at,
  lastAt: at + 600_000,
  resolvedAt: null,
};

const report: Report = {
  id: `report_${uuid("7")}`,
  at,
  scope: "task",
  subject: task.key,
  taskId: task.id,
  projectId: project.id,
  project: "api",
  byTaskId: `task_${uuid("8")}`,
  byTaskKey: "api#43",
  runId: `run_${uuid("9")}`,
  stage: "supervise",
  kind: "supervisory",
  verdict: "issue",
  summary: "The agent took the failing test out instead of mending the handler.",
  findings: [{ title: "A test was removed", severity: "problem", detail: "test/orders.test.js, `answers 404`", key: "test-removed" }],
  actions: [{ action: "share", task: task.key, text: "Bring the removed test back.", done: true, refusal: null }],
};

const audited: AuditEntry = { sequence: 5, at, actor: "cli", action: "task.cancel", subject: task.id, detail: { key: task.key } };
const worker: Worker = {
  number: 1,
  status: "running",
  runId: run.id,
  taskKey: task.key,
  agent: "claude",
  kind: "worker",
  progress: "working",
  state: run.state,
  heartbeatAgeMs: 800,
};
const hook: HookEvent = {
  sequence: 64,
  at: at + 29_000,
  runId: run.id,
  taskId: task.id,
  projectId: project.id,
  agent: "claude",
  source: "agent",
  category: "tool",
  name: "PostToolUse",
  tool: "Write",
  detail: { tool_input: { file_path: "/workspace/orders.js" }, duration_ms: 12 },
};
const circuit: Circuit = {
  id: "worker:claude",
  level: "worker",
  state: "open",
  failures: 5,
  openUntil: at + 60_000,
  trialRunId: null,
  message: "agent_error: The agent's program ended with exit code 1.",
};
const account: Account = {
  key: "claude-3f9a1c07b2de",
  agents: ["claude"],
  running: 1,
  runningMax: null,
  limitedUntil: at + 3_600_000,
  pausedUntil: null,
  message: "usage_limit: You have reached your usage limit.",
};
const channel: ChannelStatus = {
  name: "team",
  kind: "slack",
  kinds: [],
  projects: ["api"],
  pending: 1,
  lastSentAt: at + 600_000,
  failures: 1,
  lastError: "It answered 429: rate_limited",
};
const branch: Branch = {
  taskId: task.id,
  taskKey: task.key,
  title: task.title,
  projectId: project.id,
  project: "api",
  name: "drover/7-answer-404-for-an-unknown-order",
  baseCommit: "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12",
  headCommit: head,
  state: "open",
  message: "Waits: GitHub waits for required checks or reviews.",
  place: 3,
  pullRequest: { number: 12, url: "https://github.com/example/api/pull/12" },
  updatedAt: at + 70_000,
};
const page = <Item>(item: Item) => ({ items: [item], next: null });

/** One request body and one answer of each route (of a stream: one item), for the API's documentation. */
export const examples: { readonly [Name in RouteName]: { readonly body?: unknown; readonly response: ResponseOf<Name> } } = {
  health: { response: { status: "ok", version: "0.1.0", problems: [], circuits: { closed: 4, open: 0, halfOpen: 0 } } },
  getDaemon: {
    response: {
      version: "0.1.0",
      pid: 4242,
      home: "/home/ada/.drover",
      url: "http://127.0.0.1:3003",
      startedAt: at,
      uptimeMs: 900_000,
      status: "ok",
      paused: false,
      strategy: "weighted-round-robin",
      counts,
      projects: 2,
      workers: { max: 2, running: 1 },
      memory: { daemonBytes: 92_000_000, agentsBytes: 640_000_000 },
      totals: { succeeded: 12, failed: 1, cancelled: 0 },
      pendingEffects: 0,
      openAlerts: 0,
      sequence: 118,
    },
  },
  stopDaemon: { body: { mode: "drain" }, response: { stopping: true } },
  getConfig: {
    response: {
      settings: [{ key: "daemon.maxProcesses", value: 4, origin: "environment", place: "DROVER_DAEMON_MAXPROCESSES" }],
      origins: ["environment"],
      error: null,
    },
  },
  listProjects: { response: page(project) },
  registerProject: { body: { path: "/home/ada/code/api", priority: 80 }, response: project },
  getProject: { response: project },
  changeProject: { body: { weight: 2, enabled: true }, response: { ...project, weight: 2 } },
  unregisterProject: { response: project },
  pollProject: { response: { created: 1, ignored: 2, cancelled: 0 } },
  listTasks: { response: page(task) },
  createTask: {
    body: {
      project: "api",
      title: "Answer 404 for an unknown order",
      body: "GET /orders/9 answers 500.",
      idempotencyKey: "2026-01-01-orders",
    },
    response: {
      ...task,
      status: "queued",
      source: { kind: "api", key: "2026-01-01-orders", issue: null, url: null, actor: "api" },
      created: true,
    },
  },
  getTask: {
    response: {
      ...task,
      hold: null,
      runs: [run],
      effects: [effect],
      checkpoints: [{ index: 1, commit: head, at: at + 50_000, reason: "agent_ended" }],
    },
  },
  cancelTask: {
    response: { ...task, status: "cancelled", reason: "cancelled", message: "Cancelled at the command line.", finishedAt: at + 70_000 },
  },
  chat: {
    body: { messages: [{ by: "person", text: "What waits for me?" }] },
    response: { text: "api#42 waits for your approval.", model: "anthropic/claude-sonnet-5-5", usage: task.usage },
  },
  getMetrics: { response: '# HELP drover_tasks Tasks by what they are at.\n# TYPE drover_tasks gauge\ndrover_tasks{status="queued"} 3\n' },
  changeTask: { body: { priority: 80 }, response: { ...task, priority: 80 } },
  retryTask: { response: { ...task, status: "queued", attempt: 0 } },
  setDependencies: { body: { dependsOn: ["api#41"] }, response: { ...task, status: "waiting", reason: "dependency" } },
  getBoard: { response: { cards: [card], omitted: 0, sequence: 118 } },
  getCards: { response: { cards: [card] } },
  getFigures: {
    response: {
      items: [
        {
          day: "2026-01-01",
          name: "api",
          runs: 14,
          succeeded: 12,
          failed: 1,
          cancelled: 1,
          durationMs: 4_210_000,
          inputTokens: 310_000,
          outputTokens: 48_200,
          costUsdMicros: 2_130_000,
        },
      ],
    },
  },
  getGraph: {
    response: {
      tasks: [{ id: task.id, key: task.key, title: task.title, status: "running", reason: null, dependsOn: [], parentId: null }],
      omitted: 0,
    },
  },
  getTaskDiff: {
    response: "diff --git a/orders.js b/orders.js\n--- a/orders.js\n+++ b/orders.js\n@@ -1 +1 @@\n-throw new Error()\n+return notFound()\n",
  },
  approveTask: { response: { ...task, status: "queued", stage: "implement" } },
  denyTask: { body: { message: "Not in this release." }, response: { ...task, status: "cancelled", reason: "user" } },
  getTaskTree: { response: { items: [{ depth: 0, task }] } },
  listTaskNotes: {
    response: { items: [{ iteration: 1, kind: "check", text: "test (npm test) fails: sum adds", signature: null, at: at + 30_000 }] },
  },
  rollBackTask: { body: { iteration: 1 }, response: { ...task, status: "cancelled", iteration: 2 } },
  restoreTask: { body: { to: "/home/ada/restored", checkpoint: 1 }, response: { path: "/home/ada/restored", commit: head, checkpoint: 1 } },
  listRuns: { response: page(run) },
  getRun: { response: run },
  getRunOutput: { response: { text: "Reading orders.js" } },
  answerRun: { body: { question: "q1", allow: true }, response: { ...run, questions: [] } },
  askBroker: {
    body: { call: "issue", number: 7 },
    response: {
      call: "issue",
      value: {
        number: 7,
        title: task.title,
        body: task.body,
        state: "open",
        html_url: "https://github.com/example/api/issues/7",
        user: { login: "ada" },
        author_association: "OWNER",
        labels: [{ name: "Claude" }],
        assignees: [],
        milestone: null,
        comments: 0,
        created_at: "2026-01-01T10:00:00Z",
        updated_at: "2026-01-01T10:00:00Z",
      },
    },
  },
  sendToRun: { body: { text: "Leave the old endpoint as it is." }, response: run },
  attachToRun: { response: { command: ["tmux", "-L", "drover-3f1c", "attach-session", "-t", "=drover:@3"] } },
  listReports: { response: page(report) },
  getReport: { response: report },
  listAgents: { response: { items: [agent] } },
  listRunHooks: { response: page(hook) },
  receiveHook: {
    body: { hook_event_name: "PostToolUse", tool_name: "Write", tool_input: { file_path: "/workspace/orders.js" } },
    response: { recorded: true },
  },
  getQueue: {
    response: {
      paused: false,
      strategy: "weighted-round-robin",
      queued: 1,
      max: 10_000,
      running: 1,
      looks: { changes: 210, times: 14, checks: 360, skipped: 341, everyMs: 10_000 },
      next: [{ position: 1, task: { ...task, status: "queued" } }],
      held: [
        {
          project: "web",
          workflow: "issue",
          stage: "implement",
          reason: "usage_limit",
          message: "The account of agent claude is at its usage limit until 2026-01-01 18:00.",
          until: at + 3_600_000,
        },
      ],
    },
  },
  changeQueue: {
    body: { paused: true },
    response: {
      paused: true,
      strategy: "weighted-round-robin",
      queued: 0,
      max: 10_000,
      running: 1,
      looks: { changes: 210, times: 14, checks: 360, skipped: 341, everyMs: 10_000 },
      next: [],
      held: [],
    },
  },
  clearQueue: { body: { confirm: true }, response: { cancelled: 3 } },
  listMerges: { response: { items: [branch] } },
  addMerge: { response: { ...branch, message: null } },
  removeMerge: { response: { ...branch, place: null, message: "Taken out by cli." } },
  listWorkers: { response: { items: [worker], max: 2 } },
  stopWorker: { response: worker },
  listCircuits: { response: { items: [circuit] } },
  resetCircuit: { response: { ...circuit, state: "closed", failures: 0, openUntil: null, message: null } },
  listAccounts: { response: { items: [account] } },
  resetAccount: { response: { ...account, limitedUntil: null, message: null } },
  streamEvents: { response: event },
  listEvents: { response: page(event) },
  listAudit: { response: page(audited) },
  ...prdExamples(task),
  listWorkflows: { response: { items: [workflow] } },
  getWorkflow: {
    response: { ...workflow, versions: [{ project: null, name: "issue", version: 1, file: null, acceptedAt: at, inForce: true }] },
  },
  getWorkflowText: {
    response: {
      file: "/home/ada/.drover/workflows/issue.yaml",
      text: "name: issue\nstages:\n  - name: implement\n    prompt: implement.md\n",
    },
  },
  writeWorkflow: {
    body: { text: "name: issue\nstages:\n  - name: implement\n    prompt: implement.md\n" },
    response: workflow,
  },
  renderWorkflow: { response: "You work in a git repository.\n" },
  rollBackWorkflow: { body: { version: 1 }, response: workflow },
  useRunTool: {
    body: { tool: "share", input: { to: "topic:schema", text: "The tables have moved to `db/`." } },
    response: { text: "Sent to api#41." },
  },
  sendMessage: {
    body: { recipient: { to: "task", task: "api#42" }, payload: { kind: "share", text: "The tables have moved to `db/`." } },
    response: message,
  },
  listMessages: { response: { items: [message], next: null } },
  getMessage: { response: query },
  answerMessage: {
    body: { text: "Version 3." },
    response: { ...query, closedAt: at + 60_000, answer: { text: "Version 3.", by: "cli", at: at + 60_000 } },
  },
  replayMessage: { body: { recipient: { to: "task", task: "api#42" } }, response: message },
  listDeadLetters: { response: { items: [{ message: deadMessage, recipient: "api#41", reason: "ended", at }], next: null } },
  getMessageCounters: { response: { sent: 12, delivered: 10, answered: 3, dead: 1 } },
  listSubscriptions: { response: { items: [subscription] } },
  subscribe: { body: { task: "api#42", topic: "schema" }, response: { items: [subscription] } },
  unsubscribe: { body: { task: "api#42", topic: "schema" }, response: { items: [] } },
  listChannels: { response: { items: [channel] } },
  testChannel: { response: { channel: "team", sent: true } },
  listAlerts: { response: page(alert) },
  dismissAlert: { response: { ...alert, resolvedAt: at + 660_000 } },
  backUpStore: { response: { path: "/home/ada/.drover/backups/2026-01-01T10-15-00.db", bytes: 1_048_576, sequence: 118 } },
  verifyStore: { response: { ok: true, problems: [], tasks: 16, events: 118 } },
  receiveGithubWebhook: { body: { action: "labeled", issue: { number: 7 } }, response: { accepted: true } },
  setSetting: { body: { key: "daemon.maxProcesses", value: "4" }, response: { warnings: [] } },
  createLoginLink: {
    response: { url: "http://127.0.0.1:3003/login?code=zQ0v3gk5mC8rYb1nT6eX2wHd9uJfLs4a", expiresAt: at + 300_000 },
  },
  logOut: { response: { loggedOut: true } },
  getOpenApi: { response: { openapi: "3.1.0" } },
  getDocs: { response: "<!doctype html>" },
};
