import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { AgentConfig } from "../contract/config.ts";
import type { AgentPlace } from "./agent-place.ts";
import { detectProgram, type ProgramFacts } from "./detection.ts";
import type { Detection, Driver, Launch, LaunchRequest } from "./driver.ts";
import { geminiHooks } from "./gemini-hooks.ts";
import { GeminiReader } from "./gemini-output.ts";
import { readLogin } from "./login.ts";
import { cannotAsk, refuseToAsk } from "./permission.ts";
import { readingPrompt } from "./prompt-file.ts";

const GEMINI: ProgramFacts = {
  product: "Gemini CLI",
  install: "npm install -g @google/gemini-cli",
  update: "npm install -g @google/gemini-cli@latest",
  oldest: "0.61.0",
  version: /^(\d+\.\d+\.\d+)\s*$/mu,
};

/**
 * Google's Gemini CLI (https://geminicli.com/docs), headless, with stream-json.
 *
 * Nothing that a repository carries configures it: its folder is untrusted, so that `.gemini/`, `.env` and GEMINI.md do not
 * count. An untrusted folder has no approval modes, so what it may do is written as a policy. Its sessions and state live in
 * the task's folder; the person's login is used, and renewed, where it is. It can't ask a person, so permissions `ask` are
 * refused; it has no word for effort; and it never changes a build file such as package.json by its own tools, only by
 * commands.
 */
export function geminiDriver(clock: Clock): Driver {
  return {
    name: "gemini",
    announces: ["tool", "session"],
    detect: (agent, env, signal) => detect(agent, env, clock, signal),
    launch,
    openReader: () => new GeminiReader(),
    answer: () => null,
  };
}

function launch(request: LaunchRequest): Launch {
  const { agent, prompt, configDirectory, sessionId, hooks } = request;
  refuseToAsk(GEMINI.product, agent);
  const { env, files, reach, ...first } = geminiPlace(request);
  const promptFile = join(configDirectory, "prompt.md");
  const [program, ...args] = programOf(agent);
  const command = [
    program,
    ...args,
    "--prompt=",
    "--output-format=stream-json",
    ...(agent.model === null ? [] : [`--model=${agent.model}`]),
    ...(sessionId === null ? [] : [`--resume=${sessionId}`]),
    ...agent.args,
  ] as const;
  const hookFiles = hooks === null ? {} : geminiHooks(join(configDirectory, ".gemini"), hooks);
  return {
    argv: readingPrompt(promptFile, command, first),
    env,
    files: { ...files, ...hookFiles, [promptFile]: prompt },
    reach,
    stdin: "",
  };
}

/** What surrounds it, in whichever way it is spoken to. */
export function geminiPlace({ agent, configDirectory, path, env }: LaunchRequest): AgentPlace {
  const folder = join(configDirectory, ".gemini");
  const login = loginFile(env);
  return {
    before: BEFORE,
    words: [login, join(folder, "oauth_creds.json")],
    env: {
      ...env,
      PATH: path,
      GEMINI_CLI_HOME: configDirectory,
      GEMINI_CLI_TRUST_WORKSPACE: "false",
      // Else it starts itself once more, and the outer one ignores SIGTERM.
      GEMINI_CLI_NO_RELAUNCH: "true",
    },
    files: {
      [join(folder, "settings.json")]: JSON.stringify(settingsFor(env)),
      [join(folder, "policies", "drover.toml")]: policies[agent.permissions],
    },
    reach: {
      hosts: ["generativelanguage.googleapis.com", "cloudcode-pa.googleapis.com", "oauth2.googleapis.com", "aiplatform.googleapis.com"],
      files: [login],
    },
  };
}

/** Makes the login seen: through the link, Gemini CLI renews it where it is. */
const BEFORE = `ln -sf "$1" "$2"
shift 2
`;

function settingsFor(env: Readonly<Record<string, string>>) {
  return {
    // Twice more, after 5 and 10 s; by default it goes on for minutes and says nothing meanwhile.
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 3 },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    // Where trust in folders is asked for, a headless run in an untrusted one is refused. Ours is untrusted by the environment.
    security: { auth: { selectedType: authOf(env) }, folderTrust: { enabled: false } },
    // Else a key in the repository's `.env` takes the place of one that is missing.
    advanced: { ignoreLocalEnv: true },
    experimental: { enableAgents: false },
  };
}

function authOf(env: Readonly<Record<string, string>>): string {
  if (env["GOOGLE_GENAI_USE_VERTEXAI"] === "true") return "vertex-ai";
  return env["GEMINI_API_KEY"] ? "gemini-api-key" : "oauth-personal";
}

/** With a pattern, although it fits everything: only then does a rule for commands hold for git in an untrusted folder. */
const allow = (tool: string) =>
  `[[rule]]\ntoolName = "${tool}"\nargsPattern = ".*"\ndecision = "allow"\npriority = 900\nallowRedirection = true\n`;
/** What is not allowed by these or by Gemini CLI's own rules is denied. `edit`: its tools write inside the workspace only, by themselves. */
const policies = {
  ask: "",
  edit: ["write_file", "replace", "run_shell_command"].map(allow).join("\n"),
  all: ["*", "run_shell_command"].map(allow).join("\n"),
} as const satisfies Record<AgentConfig["permissions"], string>;

function programOf({ command: [program = "gemini", ...args] }: AgentConfig): [string, ...string[]] {
  return [program, ...args];
}

function loginFile(env: Readonly<Record<string, string>>): string {
  return join(env["GEMINI_CLI_HOME"] || (env["HOME"] ?? homedir()), ".gemini", "oauth_creds.json");
}

async function detect(agent: AgentConfig, env: Readonly<Record<string, string>>, clock: Clock, signal: AbortSignal): Promise<Detection> {
  if (agent.permissions === "ask") return { found: false, message: cannotAsk(GEMINI.product) };
  // Its answer would otherwise be that of a second process, which it starts with more memory.
  const place = { env: { ...env, GEMINI_CLI_NO_RELAUNCH: "true" }, clock };
  const found = await detectProgram(GEMINI, programOf(agent), place, signal);
  return found.found ? { ...found, loggedIn: await isLoggedIn(env) } : found;
}

const Login = z.object({ access_token: z.string().min(1), refresh_token: z.string().nullish() });

/** By what lies on the disk and in the environment. Null: it is up to the cloud's own login. */
async function isLoggedIn(env: Readonly<Record<string, string>>): Promise<boolean | null> {
  if (env["GOOGLE_GENAI_USE_VERTEXAI"] === "true") return env["GOOGLE_API_KEY"] ? true : null;
  return Boolean(env["GEMINI_API_KEY"]) || (await readLogin(loginFile(env), Login)) !== undefined;
}
