import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { AgentConfig } from "../contract/config.ts";
import { toLine } from "./agent-text.ts";
import { ClaudeReader } from "./claude-output.ts";
import { detectProgram, type ProgramFacts } from "./detection.ts";
import { claudeHooks } from "./claude-hooks.ts";
import type { Detection, Driver, Launch, LaunchRequest } from "./driver.ts";
import { readLogin } from "./login.ts";
import { serverEntry, TOOL_TIMEOUT_MS } from "./tool-server.ts";

/**
 * Claude Code (https://code.claude.com/docs), headless, with stream-json both ways.
 *
 * Nothing that a repository carries configures it: no settings, hooks, MCP servers, skills, agents or commands, and no
 * CLAUDE.md. Its sessions and state live in the task's folder; the person's login is used where it is.
 */
export function claudeDriver(clock: Clock): Driver {
  return {
    name: "claude",
    announces: ["tool", "session", "error"],
    detect: (agent, env, signal) => detect(agent, env, clock, signal),
    launch,
    openReader: () => new ClaudeReader(),
    answer: ({ id }, { allow, message }) => {
      const response = allow ? { behavior: "allow" } : { behavior: "deny", message: message || "A person said no." };
      return toLine({ type: "control_response", response: { subtype: "success", request_id: id, response } });
    },
    say: userLine,
  };
}

/** A message from the person to the agent. */
function userLine(text: string): string {
  return toLine({
    type: "user",
    message: { role: "user", content: [{ type: "text", text }] },
    parent_tool_use_id: null,
    session_id: "",
  });
}

function launch({ agent, prompt, configDirectory, sessionId, hooks, toolServer, budgetUsd, path, env }: LaunchRequest): Launch {
  const [settings, servers] = ["drover-settings.json", "drover-servers.json"].map((name) => join(configDirectory, name)) as [
    string,
    string,
  ];
  return {
    argv: [
      ...programOf(agent),
      ...STREAM_ARGUMENTS,
      ...TRUST_ARGUMENTS,
      `--disallowedTools=${UNFIT_TOOLS.join(",")}`,
      ...permissionArguments[agent.permissions],
      ...(agent.model === null ? [] : [`--model=${agent.model}`]),
      ...(agent.effort === null ? [] : [`--effort=${agent.effort}`]),
      ...(sessionId === null ? [] : [`--resume=${sessionId}`]),
      // Of this run alone, also in a session that is gone on with; the request that exceeds it is the last.
      ...(budgetUsd === undefined ? [] : [`--max-budget-usd=${budgetUsd.toFixed(6)}`]),
      ...(hooks === null ? [] : [`--settings=${settings}`]),
      ...(toolServer === null ? [] : [`--mcp-config=${servers}`]),
      ...agent.args,
    ],
    env: {
      CLAUDE_CODE_MAX_RETRIES: "5",
      MCP_TOOL_TIMEOUT: String(TOOL_TIMEOUT_MS),
      ...env,
      ...SWITCHES,
      PATH: path,
      CLAUDE_CONFIG_DIR: configDirectory,
      CLAUDE_CODE_TMPDIR: join(configDirectory, "tmp"),
      // Where the login is looked for (and renewed), on macOS the name of the keychain's entry. Empty: the usual place.
      CLAUDE_SECURESTORAGE_CONFIG_DIR: env["CLAUDE_CONFIG_DIR"] ?? "",
    },
    files: {
      ...(hooks && { [settings]: JSON.stringify({ hooks: claudeHooks(hooks) }) }),
      ...(toolServer && { [servers]: JSON.stringify({ mcpServers: serverEntry(toolServer) }) }),
    },
    reach: reachOf(env),
    stdin: userLine(prompt),
  };
}

const STREAM_ARGUMENTS = [
  "-p",
  "--input-format=stream-json",
  "--output-format=stream-json",
  "--verbose",
  "--permission-prompt-tool=stdio",
] as const;

/** No settings of the repository's, nor of the person's: with them, a repository's hooks run before the first prompt. */
const TRUST_ARGUMENTS = ["--setting-sources=", "--strict-mcp-config", "--disable-slash-commands"] as const;

/** What has no place in an unattended run. */
const SWITCHES = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  /** Else `@/any/file` in the text of an issue puts that file before the model. */
  CLAUDE_CODE_DISABLE_FILE_MENTIONS: "1",
  /** Else one run leaves notes for the next that nobody has seen. */
  CLAUDE_CODE_DISABLE_AUTO_MEMORY: "1",
  /** Else the turn ends while commands still run, and later starts again by itself. */
  CLAUDE_CODE_DISABLE_BACKGROUND_TASKS: "1",
  CLAUDE_CODE_DISABLE_CRON: "1",
} as const;

/** Tools that ask questions, wait for a later time, leave the workspace, or talk to the person's other sessions. */
const UNFIT_TOOLS = [
  "AskUserQuestion",
  "EnterPlanMode",
  "ExitPlanMode",
  "EnterWorktree",
  "ExitWorktree",
  "ScheduleWakeup",
  "Monitor",
  "Workflow",
  "ListAgents",
  "SendMessage",
];

/**
 * What is not allowed here is asked over stdio. Drover's own tools change nothing but what is Drover's. `edit`: files inside the workspace, and every command: what a command
 * touches is not looked at. `all`: Claude Code refuses it to root, unless IS_SANDBOX=1 says that it is in a sandbox; that
 * is for the person to say, in the agent's `env`.
 */
const permissionArguments = {
  ask: ["--permission-mode=manual", "--allowedTools=mcp__drover"],
  edit: ["--permission-mode=acceptEdits", "--allowedTools=Bash,mcp__drover"],
  all: ["--permission-mode=bypassPermissions"],
} as const satisfies Record<AgentConfig["permissions"], readonly string[]>;

function programOf({ command: [program = "claude", ...args] }: AgentConfig): [string, ...string[]] {
  return [program, ...args];
}

const CLAUDE: ProgramFacts = {
  product: "Claude Code",
  install: "npm install -g @anthropic-ai/claude-code",
  update: "claude update",
  // 2.1.305 does not tell what a resumed run cost, 2.1.280 opens files that a prompt mentions.
  oldest: "2.1.318",
  version: /^(\d+\.\d+\.\d+) \(Claude Code\)/u,
};

async function detect(agent: AgentConfig, env: Readonly<Record<string, string>>, clock: Clock, signal: AbortSignal): Promise<Detection> {
  const found = await detectProgram(CLAUDE, programOf(agent), { env: { ...env, ...SWITCHES }, clock }, signal);
  return found.found ? { ...found, loggedIn: await isLoggedIn(env, clock.now()) } : found;
}

/** Where Claude Code's servers are, and where it renews a login (https://code.claude.com/docs/en/network-config). */
const HOSTS = ["api.anthropic.com", "platform.claude.com", "console.anthropic.com"];

/** A provider of the person's own choice is named by the environment. */
function reachOf(env: Readonly<Record<string, string>>): NonNullable<Launch["reach"]> {
  const isElsewhere = [...CLOUDS, "ANTHROPIC_BASE_URL"].some((name) => env[name]);
  return { hosts: isElsewhere ? [] : HOSTS, files: KEYS.some((name) => env[name]) ? [] : [credentialsFile(env)] };
}

const KEYS = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"];
const CLOUDS = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];
const Credentials = z.object({
  claudeAiOauth: z.object({ accessToken: z.string().min(1), refreshToken: z.string().nullish(), expiresAt: z.number().nullish() }),
});

/** By what lies on the disk and in the environment. Null: it is up to a cloud's own login, or to the keychain of macOS. */
async function isLoggedIn(env: Readonly<Record<string, string>>, now: number): Promise<boolean | null> {
  if (KEYS.some((name) => env[name])) return true;
  if (CLOUDS.some((name) => env[name])) return null;
  const credentials = (await readLogin(credentialsFile(env), Credentials))?.claudeAiOauth;
  if (!credentials) return process.platform === "darwin" ? null : false;
  return Boolean(credentials.refreshToken) || (credentials.expiresAt ?? Infinity) > now;
}

function credentialsFile(env: Readonly<Record<string, string>>): string {
  return join(env["CLAUDE_CONFIG_DIR"] || join(env["HOME"] ?? homedir(), ".claude"), ".credentials.json");
}
