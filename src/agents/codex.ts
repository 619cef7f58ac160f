import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { AgentConfig } from "../contract/config.ts";
import { codexHooks, TRUST_ARGUMENT } from "./codex-hooks.ts";
import { CodexReader } from "./codex-output.ts";
import { detectProgram, type ProgramFacts } from "./detection.ts";
import type { Detection, Driver, Launch, LaunchRequest } from "./driver.ts";
import { readLogin } from "./login.ts";
import { cannotAsk, refuseToAsk } from "./permission.ts";
import { readingPrompt } from "./prompt-file.ts";
import { TOOL_TIMEOUT_MS, type ToolServer } from "./tool-server.ts";

const CODEX: ProgramFacts = {
  product: "Codex",
  install: "npm install -g @openai/codex",
  update: "npm install -g @openai/codex@latest",
  oldest: "0.169.0",
  version: /^codex-cli (\d+\.\d+\.\d+)/u,
};

/**
 * OpenAI's Codex (https://developers.openai.com/codex), headless by `codex exec --json`.
 *
 * Nothing that a repository carries configures it: its folder is untrusted, so that `.codex/` does not count, and AGENTS.md,
 * skills and rules are not read. Its sessions and state live in the task's folder; the person's login is used, and renewed,
 * where it is. Commands run in Codex's own sandbox: they write in the workspace and the temporary folder only, and have no
 * network. It can't ask a person, so permissions `ask` are refused.
 */
export function codexDriver(clock: Clock): Driver {
  return {
    name: "codex",
    announces: ["tool", "session"],
    detect: (agent, env, signal) => detect(agent, env, clock, signal),
    launch,
    openReader: () => new CodexReader(),
    answer: () => null,
  };
}

function launch(request: LaunchRequest): Launch {
  const { agent, prompt, configDirectory, sessionId, hooks, path, env } = request;
  refuseToAsk(CODEX.product, agent);
  const promptFile = join(configDirectory, "prompt.md");
  const login = loginFile(env);
  const command = [
    ...programOf(agent),
    "exec",
    "--json",
    "--skip-git-repo-check",
    "--ignore-rules",
    ...(hooks === null ? [] : [TRUST_ARGUMENT]),
    ...agent.args,
    ...(sessionId === null ? [] : ["resume", sessionId]),
    "-",
  ] as const;
  return {
    argv: readingPrompt(promptFile, [command[0] ?? "codex", ...command.slice(1)], {
      before: BEFORE,
      words: [login, join(configDirectory, "auth.json"), sessionId ?? ""],
    }),
    env: { ...env, PATH: path, CODEX_HOME: configDirectory, TMPDIR: join(configDirectory, "tmp") },
    files: { [promptFile]: prompt, [join(configDirectory, "config.toml")]: configOf(request) },
    reach: { hosts: ["api.openai.com", "auth.openai.com", "chatgpt.com"], files: [login] },
    stdin: "",
  };
}

/**
 * Makes the login seen: through the link, Codex renews it where it is. And the temporary folder: Codex keeps programs of its
 * own in CODEX_HOME and refuses to when that lies in the temporary folder. Then prints what Codex does not tell: what time it
 * is, since it says of a limit only at which hour it ends; and of a session that goes on the line with what it has used so
 * far, since what Codex tells at the end counts from the session's start.
 */
const BEFORE = `ln -sf "$1" "$2"
mkdir -p "$TMPDIR"
date +'{"type":"drover.started","at":%s,"zone":"%z"}'
[ -z "$3" ] || cat "$CODEX_HOME"/sessions/*/*/*/rollout-*-"$3".jsonl 2>/dev/null | grep '"type":"token_count"' | tail -n 1
shift 3
`;

function configOf({ agent, workspace, hooks, toolServer }: LaunchRequest): string {
  const text = (value: string) => JSON.stringify(value);
  return [
    ...(agent.model === null ? [] : [`model = ${text(agent.model)}`]),
    ...(agent.effort === null ? [] : [`model_reasoning_effort = ${text(agent.effort)}`]),
    `approval_policy = "never"`,
    `sandbox_mode = "${agent.permissions === "all" ? "danger-full-access" : "workspace-write"}"`,
    // A login shell reads /etc/profile, which sets PATH anew.
    "allow_login_shell = false",
    "check_for_update_on_startup = false",
    "project_doc_max_bytes = 0",
    `cli_auth_credentials_store = "file"`,
    "[projects]",
    `${text(workspace)} = { trust_level = "untrusted" }`,
    // In every folder that commands may write to, its sandbox makes empty `.git`, `.codex` and the like, and leaves them there when
    // it is killed. The temporary folder is the task's own.
    "[sandbox_workspace_write]",
    "exclude_slash_tmp = true",
    "[skills]",
    "include_instructions = false",
    // Its exporter of metrics holds up the end of a run by 5 s where it can't reach its server.
    "[analytics]",
    "enabled = false",
    "[features]",
    // Else a provider that can't be reached is asked for ever.
    "unbounded_connection_retries = false",
    // They fetch lists from the network at each start.
    "plugins = false",
    "remote_plugin = false",
    "apps = false",
    "tool_suggest = false",
    ...(toolServer === null ? [] : serverSection(toolServer)),
    ...(hooks === null ? [] : codexHooks(hooks)),
    "",
  ].join("\n");
}

/** Nobody is asked, and nothing that is to be asked for is done: so it is said of these tools that they may be used. */
function serverSection({ argv: [command, ...args] }: ToolServer): string[] {
  return [
    "[mcp_servers.drover]",
    `command = ${JSON.stringify(command)}`,
    `args = ${JSON.stringify(args)}`,
    `tool_timeout_sec = ${TOOL_TIMEOUT_MS / 1000}`,
    `default_tools_approval_mode = "approve"`,
  ];
}

function programOf({ command: [program = "codex", ...args] }: AgentConfig): [string, ...string[]] {
  return [program, ...args];
}

function loginFile(env: Readonly<Record<string, string>>): string {
  return join(env["CODEX_HOME"] || join(env["HOME"] ?? homedir(), ".codex"), "auth.json");
}

async function detect(agent: AgentConfig, env: Readonly<Record<string, string>>, clock: Clock, signal: AbortSignal): Promise<Detection> {
  if (agent.permissions === "ask") return { found: false, message: cannotAsk(CODEX.product) };
  const found = await detectProgram(CODEX, programOf(agent), { env, clock }, signal);
  return found.found ? { ...found, loggedIn: await isLoggedIn(env) } : found;
}

const Login = z.object({
  OPENAI_API_KEY: z.string().min(1).nullish(),
  tokens: z.object({ access_token: z.string().min(1) }).nullish(),
});

/** By what lies on the disk and in the environment. Whether the login is still good only its maker knows. */
async function isLoggedIn(env: Readonly<Record<string, string>>): Promise<boolean> {
  if (env["CODEX_API_KEY"] || env["CODEX_ACCESS_TOKEN"]) return true;
  const login = await readLogin(loginFile(env), Login);
  return Boolean(login?.OPENAI_API_KEY || login?.tokens);
}
