import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { AgentConfig } from "../contract/config.ts";
import type { AgentPlace } from "./agent-place.ts";
import { detectProgram, type ProgramFacts } from "./detection.ts";
import type { Detection, Driver, Launch, LaunchRequest } from "./driver.ts";
import { readLogin } from "./login.ts";
import { opencodeHooks, opencodePackages } from "./opencode-hooks.ts";
import { OpencodeReader } from "./opencode-output.ts";
import { cannotAsk, refuseToAsk } from "./permission.ts";
import { readingPrompt } from "./prompt-file.ts";
import { TOOL_TIMEOUT_MS, type ToolServer } from "./tool-server.ts";

const OPENCODE: ProgramFacts = {
  product: "OpenCode",
  install: "npm install -g opencode-ai",
  update: "opencode upgrade",
  oldest: "1.18.33",
  version: /^(\d+\.\d+\.\d+)\s*$/mu,
};

/**
 * OpenCode (https://opencode.ai/docs), headless by `opencode run --format json`.
 *
 * Nothing that a repository carries configures it: neither AGENTS.md nor skills are read, and a repository with an
 * `opencode.json` or `.opencode/` is refused, because OpenCode runs the plugins that these name whatever it is told. Its sessions and
 * state live in the task's folder, so that the person's configuration does not count either, but for a file that the
 * environment names (OPENCODE_CONFIG); the person's logins are used, and renewed, where they are. It can't ask a person, so
 * permissions `ask` are refused.
 */
export function opencodeDriver(clock: Clock): Driver {
  return {
    name: "opencode",
    announces: ["tool", "session", "error"],
    detect: (agent, env, signal) => detect(agent, env, clock, signal),
    launch,
    openReader: () => new OpencodeReader(),
    answer: () => null,
  };
}

function launch(request: LaunchRequest): Launch {
  const { agent, prompt, configDirectory, sessionId, hooks } = request;
  refuseToAsk(OPENCODE.product, agent);
  const { env, files, reach, ...first } = opencodePlace(request, (carried) => ({ type: "drover.refused", carried }));
  const promptFile = join(configDirectory, "prompt.md");
  const [program, ...args] = programOf(agent);
  const command = [
    program,
    ...args,
    "run",
    "--format=json",
    // Else it asks a model for one.
    "--title=drover",
    ...(agent.model === null ? [] : [`--model=${agent.model}`]),
    ...(agent.effort === null ? [] : [`--variant=${agent.effort}`]),
    ...(sessionId === null ? [] : [`--session=${sessionId}`]),
    ...agent.args,
  ] as const;
  const told = hooks === null ? undefined : opencodeHooks(join(configDirectory, "settings", "opencode"), hooks);
  return {
    argv: readingPrompt(promptFile, command, first),
    env: { ...env, ...told?.env },
    files: { ...files, ...told?.files, [promptFile]: prompt },
    reach,
    stdin: "",
  };
}

/**
 * What surrounds it, in whichever way it is spoken to.
 * @param refusal the line that is printed in its place when the repository carries a file of this name that it would obey.
 */
export function opencodePlace(
  { agent, configDirectory, toolServer, path, env }: LaunchRequest,
  refusal: (carried: string) => object,
): AgentPlace {
  const [settings, data, state] = ["settings", "data", "state"].map((name) => join(configDirectory, name)) as [string, string, string];
  const login = loginFile(env);
  return {
    before: refusing(refusal) + LOGIN,
    words: [login, join(data, "opencode")],
    env: { ...env, ...SWITCHES, PATH: path, XDG_CONFIG_HOME: settings, XDG_DATA_HOME: data, XDG_STATE_HOME: state },
    files: {
      [join(settings, "opencode", "opencode.json")]: JSON.stringify(settingsFor(agent, toolServer)),
      ...opencodePackages(join(settings, "opencode")),
    },
    reach: { hosts: ["api.anthropic.com", "api.openai.com", "openrouter.ai", "opencode.ai"], files: [login] },
  };
}

/** Refuses a repository whose plugins OpenCode would run: 1.18.33 loads them at each start, with its switches against that set too. */
function refusing(refusal: (carried: string) => object): string {
  const line = JSON.stringify(refusal("CARRIED")).replaceAll("CARRIED", `'"$carried"'`);
  return `for carried in .opencode opencode.json opencode.jsonc; do
  if [ -e "$carried" ] || [ -L "$carried" ]; then
    echo '${line}'
    exit 1
  fi
done
`;
}

/** Makes the logins seen: through the link, OpenCode renews them where they are. */
const LOGIN = `mkdir -p "$2"
ln -sf "$1" "$2/auth.json"
shift 2
`;

/** Nothing of the repository's, nothing from the network but what the model's provider says. */
const SWITCHES = {
  OPENCODE_DISABLE_PROJECT_CONFIG: "1",
  OPENCODE_DISABLE_CLAUDE_CODE: "1",
  OPENCODE_DISABLE_EXTERNAL_SKILLS: "1",
  OPENCODE_DISABLE_AUTOUPDATE: "1",
  OPENCODE_DISABLE_MODELS_FETCH: "1",
  OPENCODE_DISABLE_LSP_DOWNLOAD: "1",
} as const;

function settingsFor({ permissions }: AgentConfig, toolServer: ToolServer | null) {
  return {
    ...(toolServer && { mcp: { drover: { type: "local", command: toolServer.argv, enabled: true, timeout: TOOL_TIMEOUT_MS } } }),
    autoupdate: false,
    share: "disabled",
    // It would keep each state of the workspace in a git repository of its own; the daemon does that.
    snapshot: false,
    // It would ask a model for one.
    agent: { title: { disable: true } },
    // Else a person's no ends its turn.
    experimental: { continue_loop_on_deny: true },
    // They are programs of the repository's choice.
    lsp: false,
    formatter: false,
    permission: {
      // Of what it asks, a person hears where it is spoken to over its protocol.
      "*": permissions === "ask" ? "ask" : "allow",
      "drover_*": "allow",
      // The same call again and again.
      doom_loop: "deny",
      ...(permissions === "all" ? {} : { external_directory: "deny", webfetch: "deny", websearch: "deny" }),
    },
  };
}

function programOf({ command: [program = "opencode", ...args] }: AgentConfig): [string, ...string[]] {
  return [program, ...args];
}

function loginFile(env: Readonly<Record<string, string>>): string {
  return join(env["XDG_DATA_HOME"] || join(env["HOME"] ?? homedir(), ".local", "share"), "opencode", "auth.json");
}

async function detect(agent: AgentConfig, env: Readonly<Record<string, string>>, clock: Clock, signal: AbortSignal): Promise<Detection> {
  if (agent.permissions === "ask") return { found: false, message: cannotAsk(OPENCODE.product) };
  const found = await detectProgram(OPENCODE, programOf(agent), { env: { ...env, ...SWITCHES }, clock }, signal);
  return found.found ? { ...found, loggedIn: await isLoggedIn(env) } : found;
}

const Logins = z.record(z.string(), z.looseObject({ type: z.string() }));

/** By what lies on the disk and in the environment. Null: it is up to a file of the person's, which may name a provider without a login. */
async function isLoggedIn(env: Readonly<Record<string, string>>): Promise<boolean | null> {
  if (Object.keys((await readLogin(loginFile(env), Logins)) ?? {}).length > 0) return true;
  if (Object.entries(env).some(([name, value]) => /_(?:API_KEY|TOKEN)$/u.test(name) && value !== "")) return true;
  return env["OPENCODE_CONFIG"] ? null : false;
}
