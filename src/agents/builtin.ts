import { fileURLToPath } from "node:url";
import { AppError } from "../base/errors.ts";
import { compileCacheIn } from "../base/paths.ts";
import type { AgentOrder } from "../contract/agent-order.ts";
import type { AgentConfig, ModelSettings } from "../contract/config.ts";
import { toLine } from "./agent-text.ts";
import { commandDriver } from "./command.ts";
import type { Detection, Driver, Launch, LaunchRequest } from "./driver.ts";
import { chooseModel } from "./model-choice.ts";
import { orderedModel, requireModule } from "./ordered-model.ts";

const PROGRAM = fileURLToPath(new URL("../builtin/main.ts", import.meta.url));

/**
 * Drover's own agent: a program of ours (`src/builtin/`) that asks a model over its provider's API and has tools of Drover's. It
 * says what it does in the words of the driver `command`. Of the daemon's environment it gets the key of its provider alone.
 * @param models the providers and models as they are in force at the moment.
 * @param home where packages of the person's are installed.
 */
export function builtinDriver(models: () => ModelSettings, home: string): Driver {
  return {
    ...commandDriver,
    name: "builtin",
    credentials: (agent) => keyVariables(agent, models()),
    detect: (agent, env) => detect(agent, env, models(), home),
    launch: (request) => launch(request, models(), home),
  };
}

function launch(request: LaunchRequest, settings: ModelSettings, home: string): Launch {
  const { agent, prompt, configDirectory, sessionId, hooks, path, env } = request;
  const model = orderedModel(agent.model, settings, home);
  const toolModules = agent.tools.map((name) => requireModule("tools", name, home));
  const order: AgentOrder = {
    prompt,
    sessionId,
    configDirectory,
    home,
    hookSpool: hooks?.spool ?? null,
    model,
    effort: agent.effort,
    permissions: agent.permissions,
    tools: request.tools === null ? null : [...request.tools],
    toolModules,
    // What is asked nothing is not held either, as with other agents.
    sandbox: request.sandbox === null || agent.permissions === "all" ? null : request.sandbox,
    limits: settings.builtin,
  };
  return {
    argv: [process.execPath, PROGRAM],
    // With it the program starts in half of the time and takes a quarter less memory. In a confinement Drover's home is not there.
    env: { ...(request.sandbox !== null && { NODE_COMPILE_CACHE: compileCacheIn(home) }), ...env, PATH: path },
    files: {},
    reach: {
      hosts: model.baseUrl === null ? [] : [hostOf(model.baseUrl)],
      files: [],
      programs: [...(model.package === null ? [] : [model.package]), ...toolModules],
    },
    stdin: toLine(order),
  };
}

async function detect(
  agent: AgentConfig,
  env: Readonly<Record<string, string>>,
  settings: ModelSettings,
  home: string,
): Promise<Detection> {
  try {
    const { keyVariable } = orderedModel(agent.model, settings, home);
    for (const name of agent.tools) requireModule("tools", name, home);
    return {
      found: true,
      program: process.execPath,
      version: process.versions.node,
      loggedIn: keyVariable === null ? null : Boolean(env[keyVariable]),
    };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return { found: false, message: thrown.message };
  }
}

function keyVariables(agent: AgentConfig, settings: ModelSettings): readonly string[] {
  try {
    const { keyVariable } = chooseModel(agent.model, settings).config;
    return keyVariable === null ? [] : [keyVariable];
  } catch {
    return []; // no such model: `detect` and `launch` say so
  }
}

/** `api.anthropic.com`, `localhost:4020` */
function hostOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? "443" : "80")}`;
}
