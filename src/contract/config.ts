import { z } from "zod";
import { Delivery, TaskPriority } from "./task.ts";
import { ForgeKind } from "./project.ts";

/**
 * Every setting of Drover: its type, its default, its unit and what it means. From this one schema come the layers'
 * checks, `docs/config.md` and the JSON Schema for editors. A section is `global` (only in the home's file, the
 * environment and flags) or `project` (a default in the home's file, and a project's own in its `.drover/config.yaml`).
 * `tighten: "min"` marks a limit: a project's value may lower the global one, never raise it.
 */
export type ConfigScope = "global" | "project";

type SettingMeta = { description: string; tighten?: "min" };
const doc = (description: string, more: Omit<SettingMeta, "description"> = {}): SettingMeta => ({ description, ...more });
const section = <Shape extends z.ZodRawShape>(scope: ConfigScope, description: string, shape: Shape) =>
  z
    .strictObject(shape)
    .meta({ description, scope })
    .prefault({} as never);

export const SchedulingStrategy = z.enum(["round-robin", "priority", "weighted-round-robin", "deadline"]);
export type SchedulingStrategy = z.infer<typeof SchedulingStrategy>;

export const LogLevel = z.enum(["debug", "info", "warn", "error"]);

/** A name of an environment variable. */
const VariableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "use the name of an environment variable");
const Milliseconds = (min: number) =>
  z
    .int()
    .min(min)
    .max(7 * 24 * 3600 * 1000);

/** An agent that a project can choose by name: which driver runs it, and how. */
export const AgentConfig = z.strictObject({
  driver: z.string().meta(doc("which driver runs it: `claude`, `command`")),
  command: z.array(z.string().min(1)).default([]).meta(doc("program and arguments in place of the driver's own; `command` needs it")),
  model: z.string().nullable().default(null).meta(doc("model name or alias handed to the agent; null: the agent's own default")),
  args: z.array(z.string()).default([]).meta(doc("extra arguments")),
  env: z
    .array(VariableName)
    .default([])
    .meta(doc("names of the daemon's environment variables that this agent gets besides PATH, LANG and the like")),
  permissions: z
    .enum(["ask", "edit", "all"])
    .default("edit")
    .meta(doc("ask: each tool needs a person; edit: files and commands in its workspace are allowed; all: the agent asks nothing")),
});
export type AgentConfig = z.infer<typeof AgentConfig>;

/** A command that must pass before a run succeeds. */
export const CheckConfig = z.strictObject({
  name: z.string().min(1).max(60),
  command: z.string().min(1).meta(doc("run by `sh -c` in the workspace")),
  timeoutMs: Milliseconds(1000).default(600_000).meta(doc("milliseconds")),
});
export type CheckConfig = z.infer<typeof CheckConfig>;

export const Config = z.strictObject({
  version: z.literal(1).default(1).meta(doc("version of this file's format")),

  daemon: section("global", "The daemon and its queue", {
    maxProcesses: z.int().min(1).max(1000).default(2).meta(doc("agent processes at once, over all projects")),
    schedulingStrategy: SchedulingStrategy.default("weighted-round-robin").meta(doc("how the next task is chosen")),
    agingMs: Milliseconds(1000)
      .default(3_600_000)
      .meta(doc("a task that has waited this long goes before every strategy's own order, milliseconds")),
    queueMax: z
      .int()
      .min(1)
      .max(10_000_000)
      .default(10_000)
      .meta(doc("tasks that may be queued; one more is refused with a hint when to try again")),
    host: z.string().min(1).default("127.0.0.1").meta(doc("address the API listens on; another than loopback needs `allowRemote`")),
    port: z.int().min(0).max(65_535).default(3003).meta(doc("port of the API; 0: any free one")),
    allowRemote: z.boolean().default(false).meta(doc("let other machines reach the API")),
    allowedOrigins: z.array(z.url()).default([]).meta(doc("web origins that may call the API from a browser")),
    stopTimeoutMs: Milliseconds(0).default(5000).meta(doc("how long a stop waits for the daemon's own work, milliseconds")),
    tickMs: Milliseconds(100).default(15_000).meta(doc("the slow tick that repairs what an event missed, milliseconds")),
  }),

  resources: section("global", "Limits for all agents together", {
    maxMemoryMB: z.int().min(64).default(4096).meta(doc("no further agent is started while all together use this much memory, MB")),
    maxCpuPercent: z
      .number()
      .min(1)
      .max(100)
      .default(80)
      .meta(doc("no further agent is started while all together use this share of the machine's processors, percent")),
  }),

  logging: section("global", "The daemon's log files", {
    level: LogLevel.default("info").meta(doc("least level that is written")),
    maxFileMB: z.int().min(1).max(10_000).default(10).meta(doc("a log file is rotated at this size, MB")),
    maxFiles: z.int().min(1).max(1000).default(5).meta(doc("rotated files kept of each log")),
    runOutputMaxMB: z.int().min(1).max(100_000).default(64).meta(doc("output kept of one run; older output is dropped from its head, MB")),
  }),

  agents: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), AgentConfig)
    .default({
      claude: {
        driver: "claude",
        command: [],
        model: null,
        args: [],
        env: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_OAUTH_TOKEN"],
        permissions: "edit",
      },
    })
    .meta({ ...doc("The agents that projects can choose, by name"), scope: "global" }),

  github: section("project", "GitHub", {
    repository: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/, "use owner/name")
      .nullable()
      .default(null)
      .meta(doc("owner/name; null: read from the remote when the project is registered")),
    apiUrl: z.url().default("https://api.github.com").meta(doc("base URL of the API; GitHub Enterprise: https://HOST/api/v3")),
    tokenVariable: VariableName.default("GITHUB_TOKEN").meta(doc("the environment variable of the daemon that holds this project's token")),
    webhookSecretVariable: VariableName.nullable()
      .default(null)
      .meta(doc("the environment variable that holds the secret of this project's webhook; null: webhooks are refused")),
    authors: z
      .array(z.enum(["OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR", "NONE"]))
      .default(["OWNER", "MEMBER", "COLLABORATOR"])
      .meta(doc("whose issues may start work, by GitHub's author association")),
    labellers: z
      .array(z.string())
      .default([])
      .meta(doc("logins whose label starts work whoever wrote the issue; besides these, people with write access")),
  }),

  intake: section("project", "Which issues become tasks", {
    forge: ForgeKind.nullable()
      .default(null)
      .meta(doc("where issues and pull requests live; null: github when the remote is there, else local")),
    labels: z.array(z.string().min(1)).min(1).default(["Claude"]).meta(doc("an issue with one of these labels becomes a task")),
    planLabels: z
      .array(z.string().min(1))
      .default(["plan"])
      .meta(doc("with one of these too, only a plan is written, as a comment; nothing is changed")),
  }),

  defaults: section("project", "How tasks are run", {
    pollingInterval: Milliseconds(1000).default(300_000).meta(doc("time between two looks at a project's issues, milliseconds")),
    timeout: Milliseconds(1000)
      .default(600_000)
      .meta(doc("a run without any sign of progress for this long is ended, milliseconds", { tighten: "min" })),
    runTimeoutMs: Milliseconds(1000)
      .default(3_600_000)
      .meta(doc("a run is ended after this time, milliseconds", { tighten: "min" })),
    graceMs: Milliseconds(0).default(10_000).meta(doc("between asking a process to end and killing it, milliseconds")),
    retryAttempts: z
      .int()
      .min(1)
      .max(20)
      .default(3)
      .meta(doc("attempts at a stage before its task fails", { tighten: "min" })),
    retryDelayMs: Milliseconds(0).default(10_000).meta(doc("wait before the second attempt; doubled for each further one, milliseconds")),
    maxProcesses: z
      .int()
      .min(1)
      .max(1000)
      .default(1000)
      .meta(doc("agent processes of one project at once", { tighten: "min" })),
    priority: TaskPriority.default(50).meta(doc("priority of a task that names none")),
    agent: z.string().default("claude").meta(doc("which of `agents` does the work")),
    delivery: Delivery.default("pull_request").meta(doc("how the result reaches people")),
    branchPrefix: z
      .string()
      .regex(/^[a-z0-9][a-z0-9/-]*$/)
      .default("drover/")
      .meta(doc("branches are named PREFIX NUMBER-TITLE")),
    baseBranch: z.string().nullable().default(null).meta(doc("branch that work starts from; null: the remote's default branch")),
    language: z.string().nullable().default(null).meta(doc("language the agent writes to people in; null: the issue's own")),
    keepFailedDays: z.number().min(0).max(365).default(7).meta(doc("how long the workspace of a failed task is kept, days")),
  }),

  prompts: section("project", "What the agent is told besides the task", {
    instructions: z.string().max(50_000).default("").meta(doc("added to each prompt; so are the files of `.drover/prompts/`")),
  }),

  workspace: section("project", "The directory a task is worked on in", {
    setup: z.string().nullable().default(null).meta(doc("run by `sh -c` in a new workspace before the agent: install dependencies")),
    setupTimeoutMs: Milliseconds(1000).default(600_000).meta(doc("milliseconds")),
    copy: z
      .array(z.string())
      .default([])
      .meta(doc("files of the person's checkout that git does not hold and the work needs, such as `.env.test`; paths inside it")),
  }),

  checks: z
    .array(CheckConfig)
    .default([])
    .meta({ ...doc("Commands that must pass before a run succeeds, run by Drover on the result and on the base"), scope: "project" }),
});
export type Config = z.infer<typeof Config>;

/** The sections a project's own file may hold. */
export const projectSections = [
  "github",
  "intake",
  "defaults",
  "prompts",
  "workspace",
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
