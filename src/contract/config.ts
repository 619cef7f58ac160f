import { z } from "zod";
import { ChatConfig } from "./chat.ts";
import { ChosenDelivery, TaskPriority } from "./task.ts";
import { DockerConfig, SandboxConfig } from "./isolation-config.ts";
import { IsolationName } from "./isolation.ts";
import { ChannelKind } from "./notice.ts";
import { limitSections, rateSetting, WaitLimits } from "./limits.ts";
import { ForgeKind, ProjectName } from "./project.ts";
import { BuiltinConfig, ModelOfProvider, ProviderConfig, ProviderName } from "./provider.ts";
import { doc, milliseconds, VariableName } from "./setting-meta.ts";
import { SupervisionConfig } from "./supervision-config.ts";
import { ProjectMakeup } from "./test-setup.ts";

export const SchedulingStrategy = z.enum(["round-robin", "priority", "weighted-round-robin", "deadline"]);
export type SchedulingStrategy = z.infer<typeof SchedulingStrategy>;

const LogLevel = z.enum(["debug", "info", "warn", "error"]);

/** How hard an agent's model is to think. */
const Effort = z.enum(["low", "medium", "high"]);
const ModelName = z.string().min(1);

/** An agent that a project can choose by name: which driver runs it, and how. */
export const AgentConfig = z.strictObject({
  driver: z
    .string()
    .min(1)
    .meta(
      doc(
        "which driver runs it: `claude`, `codex`, `gemini`, `opencode`, `acp`, `command`, `human`, `builtin`, the name of an npm package, or the absolute path of a module",
      ),
    ),
  command: z.array(z.string().min(1)).default([]).meta(doc("program and arguments in place of the driver's own; `command` needs it")),
  model: ModelName.nullable()
    .default(null)
    .meta(doc("model name or alias handed to the agent; for `builtin` one of `models`, or PROVIDER/MODEL; null: the agent's own default")),
  effort: Effort.nullable()
    .default(null)
    .meta(doc("how hard its model is to think, where the agent can be told; null: the agent's own default")),
  args: z.array(z.string()).default([]).meta(doc("extra arguments")),
  env: z
    .array(VariableName)
    .default([])
    .meta(doc("names of the daemon's environment variables that this agent gets besides PATH, LANG and the like")),
  permissions: z
    .enum(["ask", "edit", "all"])
    .default("edit")
    .meta(doc("ask: each tool needs a person; edit: files and commands in its workspace are allowed; all: the agent asks nothing")),
  interactive: z
    .boolean()
    .default(false)
    .meta(
      doc(
        "its program has the window of isolation `tmux` for its terminal, where a person types; it is done when it exits with 0. For the driver `command`",
      ),
    ),
  account: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]*$/, "use letters, digits, `_`, `.` and -")
    .nullable()
    .default(null)
    .meta(
      doc(
        "whose limits it shares: agents with the same account are slowed down, and wait for a usage limit, together; null: those with the same driver and credentials do",
      ),
    ),
  rate: rateSetting("its runs are started at"),
  usdPerMillionTokens: z
    .strictObject({
      input: z.number().min(0).meta(doc("US dollars a million input tokens")),
      output: z.number().min(0).meta(doc("US dollars a million output tokens")),
      cacheRead: z.number().min(0).meta(doc("US dollars a million tokens read from the cache")),
    })
    .nullable()
    .default(null)
    .meta(doc("what its tokens cost, where the agent itself tells no cost; null: unknown, so that no budget in US dollars holds for it")),
  tools: z
    .array(z.string().min(1))
    .default([])
    .meta(doc("of `builtin`: packages, or absolute paths of modules, that add tools of your own to Drover's")),
});
export type AgentConfig = z.infer<typeof AgentConfig>;
const AgentName = z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "use a-z, 0-9 and -, beginning with a letter or digit");

/** How the agent works at one stage of a workflow, where that differs. Its arguments and variables only the home's file says. */
const StageConfig = z.strictObject({
  agent: AgentName.optional().meta(doc("which of `agents` does this stage, instead of `defaults.agent`")),
  model: ModelName.optional().meta(doc("model name or alias, instead of the agent's")),
  effort: Effort.optional().meta(doc("how hard the model is to think, instead of the agent's")),
  args: z
    .array(z.string())
    .optional()
    .meta(doc("extra arguments besides the agent's", { scope: "global" })),
  env: z
    .array(VariableName)
    .optional()
    .meta(doc("names of the daemon's environment variables that the agent gets besides its own", { scope: "global" })),
});

/** Money, US dollars; null: no limit. */
const dollars = z.number().min(0).max(1_000_000).nullable().default(null);

/** A command that must pass before a run succeeds. */
export const CheckConfig = z.strictObject({
  name: z.string().min(1).max(60).meta(doc("what people see")),
  command: z.string().min(1).meta(doc("run by `sh -c` in the workspace")),
  timeoutMs: milliseconds(1000).default(600_000).meta(doc("the check fails after this time, milliseconds")),
});
export type CheckConfig = z.infer<typeof CheckConfig>;

const DaemonConfig = z.strictObject({
  maxProcesses: z
    .int()
    .min(1)
    .max(1000)
    .default(2)
    .meta(doc("agent processes at once, over all projects; runs that share a program count against `builtin.maxRunning` instead")),
  schedulingStrategy: SchedulingStrategy.default("weighted-round-robin").meta(doc("how the next task is chosen")),
  agingMs: milliseconds(1000)
    .default(3_600_000)
    .meta(
      doc(
        "a task that has waited this long goes first in its project; under `priority` and `deadline` its project goes before the others, milliseconds",
      ),
    ),
  queueMax: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(10_000)
    .meta(doc("tasks that may be queued; one more is refused with a hint when to try again")),
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .meta(doc("address the API listens on; another than loopback needs `allowRemote`", { needsRestart: true })),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .default(3003)
    .meta(doc("port of the API; 0: any free one", { needsRestart: true })),
  allowRemote: z
    .boolean()
    .default(false)
    .meta(doc("let other machines reach the API", { needsRestart: true })),
  allowedOrigins: z
    .array(z.url())
    .default([])
    .meta(doc("web origins that may call the API from a browser", { needsRestart: true })),
  projectVariables: z
    .array(VariableName)
    .default([])
    .meta(doc("environment variables that a project's file may use as `${NAME}`; the home's file may use any")),
  stopTimeoutMs: milliseconds(0).default(5000).meta(doc("how long a stop waits for the daemon's own work, milliseconds")),
  checkMs: milliseconds(100)
    .default(10_000)
    .meta(doc("how often ready tasks are looked for besides whenever something changes, a tenth more or less, milliseconds")),
  tickMs: milliseconds(100).default(15_000).meta(doc("the slow tick that repairs what an event missed, milliseconds")),
  budget: z
    .strictObject({ dayUsd: dollars.meta(doc("what all agents together may cost a day, US dollars; then nothing starts until the next")) })
    .prefault({})
    .meta(doc("what may be spent")),
});

const BreakersConfig = z.strictObject({
  workerFailures: z.int().min(1).max(1000).default(5).meta(doc("failures of one agent in a row that open its circuit")),
  stageFailures: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .meta(doc("failures at one stage of a workflow in a row, of whichever agents and projects, that open its circuit")),
  systemWorkers: z.int().min(1).max(1000).default(2).meta(doc("open circuits of agents that open the one of the whole system")),
  coolDownMs: milliseconds(1000)
    .default(60_000)
    .meta(doc("how long a circuit that opens lets nothing start; doubled each time its trial fails, milliseconds")),
  coolDownMaxMs: milliseconds(1000).default(1_800_000).meta(doc("the longest that this wait becomes, milliseconds")),
});

const ResourcesConfig = z.strictObject({
  maxMemoryMB: z
    .int()
    .min(64)
    .default(4096)
    .meta(doc("memory that all agents together may take; no further one is started when it might not be enough, MB")),
  maxCpuPercent: z
    .number()
    .min(1)
    .max(100)
    .default(80)
    .meta(doc("share of the machine's processors that all agents together may use; no further one is started while they do, percent")),
  agentMemoryMB: z
    .int()
    .min(64)
    .default(3072)
    .meta(doc("memory that one agent may take with all that it starts; one that takes more is ended, MB")),
  agentCpuPercent: z.number().min(1).max(100).default(100).meta(doc("share of the machine's processors that one agent may use, percent")),
  agentProcessesMax: z
    .int()
    .min(16)
    .default(1024)
    .meta(doc("processes, with their threads, that one agent may have; it can start no more than that")),
});

const BrokerConfig = z.strictObject({
  callsMax: z.int().min(0).max(100_000).default(300).meta(doc("what the agent of one run may ask of its forge through Drover; 0: nothing")),
  commentsMax: z.int().min(0).max(100).default(5).meta(doc("comments that the agent of one run may write at the issue of its task")),
});

const LoggingConfig = z.strictObject({
  level: LogLevel.default("info").meta(doc("least level that is written", { needsRestart: true })),
  maxFileMB: z
    .int()
    .min(1)
    .max(10_000)
    .default(10)
    .meta(doc("a log file is rotated at this size, MB", { needsRestart: true })),
  maxFiles: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .meta(doc("rotated files kept of each log", { needsRestart: true })),
  runOutputMaxMB: z
    .int()
    .min(1)
    .max(100_000)
    .default(64)
    .meta(doc("output kept of one run; older output is dropped from its head, MB", { needsRestart: true })),
});

const HooksConfig = z.strictObject({
  keepDays: z.number().min(1).max(3650).default(30).meta(doc("how long hook events are kept, days")),
});

/** A place where alerts are sent. Its secrets are in the environment; here are only their names. */
const ChannelConfig = z.strictObject({
  kind: ChannelKind.meta(
    doc("slack: an incoming webhook; telegram: a chat of a bot; webhook: JSON to any address; desktop: a notification on this machine"),
  ),
  urlVariable: VariableName.nullable()
    .default(null)
    .meta(doc("the environment variable of the daemon that holds the address; `slack` and `webhook` need it")),
  tokenVariable: VariableName.nullable()
    .default(null)
    .meta(doc("the environment variable of the daemon that holds the bot's token; `telegram` needs it")),
  chatId: z
    .union([z.int(), z.string().min(1)])
    .nullable()
    .default(null)
    .meta(doc("the chat: its number, or `@name` of a public one; `telegram` needs it")),
  apiUrl: z.url().default("https://api.telegram.org").meta(doc("base URL of Telegram's API, where the token is sent")),
  kinds: z
    .array(z.string().regex(/^[a-z]+(_[a-z]+)*$/, "use a kind as `drover alert list` shows it"))
    .default([])
    .meta(doc("only alerts of these kinds, such as `task_failed`; empty: of all")),
  projects: z
    .array(ProjectName)
    .default([])
    .meta(doc("only alerts about these projects; empty: about all, and about what belongs to no project")),
  resolved: z.boolean().default(true).meta(doc("say also when an alert that was sent is resolved")),
  messagesPerHour: z
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .meta(doc("messages an hour at most; what does not fit is told as a number in the next one")),
});
export type ChannelConfig = z.infer<typeof ChannelConfig>;

const AlertsConfig = z.strictObject({
  gatherMs: milliseconds(0, 3_600_000)
    .default(10_000)
    .meta(doc("how long alerts of one kind are gathered before channels are told of them in one message, milliseconds")),
  channels: z.record(AgentName, ChannelConfig).default({}).meta(doc("where alerts are sent, by names of your own")),
});

const GithubConfig = z.strictObject({
  repository: z
    .string()
    .regex(/^[A-Za-z0-9][\w-]*\/(?!\.{1,2}$)[\w.-]+$/, "use owner/name")
    .nullable()
    .default(null)
    .meta(doc("owner/name; null: read from the remote when the project is registered")),
  apiUrl: z
    .url()
    .default("https://api.github.com")
    .meta(doc("base URL of the API, where tokens are sent; GitHub Enterprise: https://HOST/api/v3", { scope: "global" })),
  tokenVariable: VariableName.default("GITHUB_TOKEN").meta(doc("the environment variable of the daemon that holds this project's token")),
  webhookSecretVariable: VariableName.nullable()
    .default(null)
    .meta(doc("the environment variable that holds the secret of this project's webhook; null: webhooks are refused")),
  authors: z
    .array(z.enum(["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "NONE"]))
    .default(["OWNER", "MEMBER", "COLLABORATOR"])
    .meta(doc("whose issues may start work, by GitHub's author association")),
  labellers: z
    .array(z.string().min(1))
    .default([])
    .meta(doc("logins whose label starts work whoever wrote the issue; besides these, people with write access")),
});

const IntakeConfig = z.strictObject({
  forge: ForgeKind.nullable()
    .default(null)
    .meta(doc("where issues and pull requests live; null: github when the remote is there, else local")),
  labels: z.array(z.string().min(1)).min(1).default(["Claude"]).meta(doc("an issue with one of these labels becomes a task")),
  planLabels: z
    .array(z.string().min(1))
    .default(["plan"])
    .meta(doc("with one of these too, only a plan is written, as a comment; nothing is changed")),
  workflows: z
    .record(z.string().min(1), AgentName)
    .default({})
    .meta(doc("labels with which an issue is done by another workflow than `issue`: label to workflow")),
});

const atOnce = z.int().min(1).max(1000);

const TaskConfig = z.strictObject({
  pollingInterval: milliseconds(1000).default(300_000).meta(doc("time between two looks at a project's issues, milliseconds")),
  timeout: milliseconds(1000)
    .default(600_000)
    .meta(doc("a run without any sign of work for this long is ended, after half of it told to go on, milliseconds", { tighten: "min" })),
  repeatedActions: z
    .int()
    .min(3)
    .max(100)
    .default(10)
    .meta(
      doc("the same tool call, or round of up to three, so many times in a row counts as stuck; told once, the run is then ended", {
        tighten: "min",
      }),
    ),
  runTimeoutMs: milliseconds(1000)
    .default(3_600_000)
    .meta(doc("a run is ended after this time, milliseconds", { tighten: "min" })),
  graceMs: milliseconds(0, 600_000)
    .default(10_000)
    .meta(doc("between asking a process to end and killing it, milliseconds", { tighten: "min" })),
  retryAttempts: z
    .int()
    .min(1)
    .max(20)
    .default(3)
    .meta(doc("attempts at a stage before its task fails", { tighten: "min" })),
  retryDelayMs: milliseconds(0).default(10_000).meta(doc("wait before the second attempt; doubled for each further one, milliseconds")),
  maxProcesses: atOnce.default(1000).meta(doc("agents of one project at once", { tighten: "min" })),
  tddProcesses: atOnce
    .default(2)
    .meta(doc("agents of one project at once that do tasks of the workflow `tdd`, those of a PRD", { tighten: "min" })),
  rate: rateSetting("the runs of one project are started at", { scope: "global" }),
  memoryMB: z
    .int()
    .min(64)
    .nullable()
    .default(null)
    .meta(doc("memory that one agent may take, at most resources.agentMemoryMB; null: that, MB", { tighten: "min" })),
  cpuPercent: z
    .number()
    .min(1)
    .max(100)
    .nullable()
    .default(null)
    .meta(
      doc("share of the machine's processors that one agent may use, at most resources.agentCpuPercent; null: that, percent", {
        tighten: "min",
      }),
    ),
  processesMax: z
    .int()
    .min(16)
    .nullable()
    .default(null)
    .meta(doc("processes that one agent may have, at most resources.agentProcessesMax; null: that", { tighten: "min" })),
  priority: TaskPriority.default(50).meta(doc("priority of a task that names none; the higher goes first within its project")),
  agent: AgentName.default("claude").meta(doc("which of `agents` does the work")),
  model: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(doc("model name or alias of stages that name none; null: the agent's; not for an agent that work is handed over to")),
  stages: z
    .record(AgentName, StageConfig)
    .default({})
    .meta(
      doc("what is different at a stage of a workflow, by its name: `plan`, `implement`; not for an agent that work is handed over to"),
    ),
  isolation: IsolationName.default("process").meta(
    doc(
      "what is around the agent: nothing (process), a window that people can look into (tmux), a container (docker), or the system's sandbox; a project cannot leave the last two",
      { tighten: "confined" },
    ),
  ),
  handOver: z
    .array(AgentName)
    .max(20)
    .default([])
    .meta(
      doc(
        "which of `agents` are tried, in this order, while the first is at its usage limit or its circuit is open; they begin a session of their own",
      ),
    ),
  budget: z
    .strictObject({
      taskUsd: dollars.meta(doc("what one task may cost with all its attempts, US dollars", { tighten: "min" })),
      taskTokens: z
        .int()
        .min(1)
        .nullable()
        .default(null)
        .meta(doc("input and output tokens that one task may use, those from the cache not counted; null: no limit", { tighten: "min" })),
      dayUsd: dollars.meta(
        doc("what one project may cost a day, US dollars; then nothing of it starts until the next", { tighten: "min" }),
      ),
    })
    .prefault({})
    .meta(doc("what may be spent; a run that reaches it is stopped with its work saved")),
  delivery: ChosenDelivery.default("pull_request").meta(doc("how the result reaches people")),
  branchPrefix: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*(\/[a-z0-9-]+)*\/?$/, "use a-z, 0-9, - and /")
    .default("drover/")
    .meta(doc("what the names of branches begin with; NUMBER-TITLE follows")),
  baseBranch: z
    .string()
    .regex(/^(?![-/])(?!.*\.\.)[^\s~^:?*[\\]+$/, "use the name of a branch")
    .nullable()
    .default(null)
    .meta(doc("branch that work starts from; null: the remote's default branch")),
  followBase: z
    .boolean()
    .default(true)
    .meta(
      doc(
        "when the base branch moves, put work onto it: unfinished work before its next run, finished branches with their checks run again",
      ),
    ),
  onConflict: z
    .enum(["agent", "person", "ignore"])
    .default("person")
    .meta(
      doc(
        "who resolves a conflict with the base: the task's agent, at once (agent); somebody after an alert, while the task is blocked (person); nobody, the branch stays as it is (ignore)",
      ),
    ),
  autoMerge: z
    .boolean()
    .default(false)
    .meta(doc("merge finished branches by itself: together onto the newest base, after the checks have passed on all of it")),
  language: z.string().min(1).max(60).nullable().default(null).meta(doc("language the agent writes to people in; null: the issue's own")),
  keepFailedDays: z.number().min(0).max(365).default(7).meta(doc("how long the workspace of a failed task is kept, days")),
});

const PromptsConfig = z.strictObject({
  instructions: z.string().max(50_000).default("").meta(doc("added to each prompt; so are the files of `.drover/prompts/`")),
});

const WorkspaceConfig = z.strictObject({
  setup: z.string().min(1).nullable().default(null).meta(doc("run by `sh -c` in a new workspace before the agent: install dependencies")),
  setupTimeoutMs: milliseconds(1000).default(600_000).meta(doc("the set-up fails after this time, milliseconds")),
  copy: z
    .array(z.string().regex(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$)).+$/, "use a path inside the checkout"))
    .default([])
    .meta(doc("files of the person's checkout that git does not hold and the work needs, such as `.env.test`; paths inside it")),
});

/**
 * Every setting of Drover: its type, its default, its unit and what it means. From this one schema come the layers'
 * checks, `docs/config.md` and the JSON Schema for editors.
 */
export const Config = z.strictObject({
  version: z.literal(1).default(1).meta(doc("version of this file's format")),
  daemon: DaemonConfig.prefault({}).meta(doc("The daemon and its queue", { scope: "global" })),
  resources: ResourcesConfig.prefault({}).meta(doc("Limits for all agents together", { scope: "global" })),
  limits: WaitLimits.prefault({}).meta(doc("How long tasks may wait before that is told", { scope: "global" })),
  ...limitSections,
  breakers: BreakersConfig.prefault({}).meta(doc("The circuit breakers, which stop what keeps failing", { scope: "global" })),
  hooks: HooksConfig.prefault({}).meta(doc("What agents' hooks tell", { scope: "global" })),
  broker: BrokerConfig.prefault({}).meta(doc("What agents may ask of GitHub", { scope: "global" })),
  alerts: AlertsConfig.prefault({}).meta(doc("Where alerts are sent", { scope: "global" })),
  logging: LoggingConfig.prefault({}).meta(doc("The daemon's log files", { scope: "global" })),
  agents: z
    .record(AgentName, AgentConfig)
    .prefault({
      claude: { driver: "claude", env: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"] },
      codex: { driver: "codex", env: ["CODEX_API_KEY", "CODEX_ACCESS_TOKEN"] },
      gemini: { driver: "gemini", env: ["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"] },
      opencode: { driver: "opencode", env: ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "OPENCODE_API_KEY"] },
      builtin: { driver: "builtin", model: "sonnet" },
    })
    .meta(doc("The agents that projects can choose, by name", { scope: "global" })),
  providers: z
    .record(ProviderName, ProviderConfig)
    .prefault({
      anthropic: { kind: "anthropic", keyVariable: "ANTHROPIC_API_KEY" },
      openai: { kind: "openai", keyVariable: "OPENAI_API_KEY" },
      google: { kind: "google", keyVariable: "GEMINI_API_KEY" },
    })
    .meta(doc("Where the models of the `builtin` agent are, by name", { scope: "global" })),
  models: z
    .record(ProviderName, ModelOfProvider)
    .prefault({
      opus: "anthropic/claude-opus-5-5",
      sonnet: "anthropic/claude-sonnet-5-5",
      haiku: "anthropic/claude-haiku-5-5",
    })
    .meta(doc("Aliases for models of the `builtin` agent, each of a PROVIDER/MODEL", { scope: "global" })),
  builtin: BuiltinConfig.prefault({}).meta(doc("The limits of the `builtin` agent", { scope: "global" })),
  chat: ChatConfig.prefault({}).meta(doc("The chat of `drover tui`", { scope: "global" })),
  project: ProjectMakeup.prefault({}).meta(doc("What a project is made of and how its tests are run", { scope: "project" })),
  github: GithubConfig.prefault({}).meta(doc("GitHub", { scope: "project" })),
  intake: IntakeConfig.prefault({}).meta(doc("Which issues become tasks", { scope: "project" })),
  defaults: TaskConfig.prefault({}).meta(doc("How tasks are run", { scope: "project" })),
  supervision: SupervisionConfig.prefault({}).meta(doc("When agents look at the work of others", { scope: "project" })),
  prompts: PromptsConfig.prefault({}).meta(doc("What the agent is told besides the task", { scope: "project" })),
  workspace: WorkspaceConfig.prefault({}).meta(doc("The directory a task is worked on in", { scope: "project" })),
  docker: DockerConfig.prefault({}).meta(doc("The containers of `defaults.isolation: docker`", { scope: "project" })),
  sandbox: SandboxConfig.prefault({}).meta(doc("What `defaults.isolation: sandbox` leaves open", { scope: "project" })),
  checks: z
    .array(CheckConfig)
    .default([])
    .meta(doc("Commands that must pass before a run succeeds, run by Drover on the result and on the base", { scope: "project" })),
});
export type Config = z.infer<typeof Config>;

/** What says which models the `builtin` agent can have, and how it asks them. */
export type ModelSettings = Pick<Config, "providers" | "models" | "builtin">;

/** The sections that say how a project's tasks are done. A project's own file may hold them, as far as they are not global. */
export const projectSections = [
  "project",
  "github",
  "intake",
  "defaults",
  "supervision",
  "prompts",
  "workspace",
  "docker",
  "sandbox",
  "checks",
] as const satisfies readonly (keyof Config)[];

/** The settings of one project: its file over the global ones, limits only tightened. */
export type ProjectConfig = Pick<Config, (typeof projectSections)[number]>;

/** From which layer a setting's value comes. */
export const ConfigOrigin = z.enum(["default", "global file", "project file", "environment", "flag"]);
export type ConfigOrigin = z.infer<typeof ConfigOrigin>;

/** One setting as `drover config show --origin` prints it. */
export const Setting = z.object({
  /** `daemon.maxProcesses` */
  key: z.string(),
  value: z.unknown(),
  origin: ConfigOrigin,
  /** The file or the environment variable; null for a default or a flag. */
  place: z.string().nullable(),
});
export type Setting = z.infer<typeof Setting>;
