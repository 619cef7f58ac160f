import { access, constants, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { dirname } from "node:path";
import { createDrivers } from "../../agents/registry.ts";
import { messageOf } from "../../base/errors.ts";
import type { AgentConfig } from "../../contract/config.ts";
import type { Finding } from "../../contract/doctor.ts";
import { readHolder } from "../instance-lock.ts";
import { readOrMakeToken } from "../token.ts";
import { fail, ok, warn, type Check, type Place } from "./examination.ts";

/** What Drover itself needs: its home, its settings, its port, the agents and what they log in with. */
export const droverChecks: readonly Check[] = [
  { name: "home", look: lookAtHome },
  { name: "configuration", look: lookAtConfiguration },
  { name: "token", look: lookAtToken },
  { name: "port", look: lookAtPort },
  { name: "GitHub", look: lookAtGithub },
  { name: "agents", look: lookAtAgents },
];

const PRIVATE = 0o077;

async function lookAtHome({ paths }: Place): Promise<Finding[]> {
  const folder = await stat(paths.home).catch(() => undefined);
  if (folder === undefined) {
    const parent = dirname(paths.home);
    return (await isWritable(parent))
      ? [ok("home", `${paths.home} is made at the first start`)]
      : [fail("home", `${paths.home} can't be made in ${parent}`, "Name another folder in DROVER_HOME.")];
  }
  if (!folder.isDirectory()) return [fail("home", `${paths.home} is no folder`, "Move it away, or name another folder in DROVER_HOME.")];
  if (!(await isWritable(paths.home)))
    return [fail("home", `${paths.home} can't be written to`, `Make it this user's: chown -R "$USER" ${paths.home}`)];
  if ((folder.mode & PRIVATE) !== 0) return [warn("home", `${paths.home} is open to other users`, `Run: chmod 700 ${paths.home}`)];
  return [ok("home", paths.home)];
}

async function lookAtConfiguration({ paths, configError }: Place): Promise<Finding[]> {
  return configError === null
    ? [ok("configuration", paths.config)]
    : [fail("configuration", configError, "Correct it: drover config validate says whether it is right.")];
}

async function lookAtToken({ paths }: Place): Promise<Finding[]> {
  const file = await stat(paths.auth).catch(() => undefined);
  if (file === undefined) return [ok("token", "made at the first start")];
  try {
    readOrMakeToken(paths.auth);
  } catch (thrown) {
    return [fail("token", messageOf(thrown), `Remove ${paths.auth} and restart the daemon.`)];
  }
  return (file.mode & PRIVATE) === 0
    ? [ok("token", `${paths.auth}, for this user alone`)]
    : [
        fail(
          "token",
          `${paths.auth} is open to other users, who can do what you can`,
          `Remove it and restart the daemon; a new one is made.`,
        ),
      ];
}

async function lookAtPort({ paths, config }: Place): Promise<Finding[]> {
  const daemon = readHolder(paths);
  if (daemon !== undefined) return [ok("port", `the daemon runs (pid ${daemon.pid}${daemon.url === undefined ? "" : `, ${daemon.url}`})`)];
  const { host, port } = config.daemon;
  const server = createServer();
  try {
    await once(server.listen({ host, port, exclusive: true }), "listening");
    return [ok("port", `no daemon runs; ${host}:${port} is free`)];
  } catch (thrown) {
    return [
      fail(
        "port",
        `no daemon runs, and ${host}:${port} can't be had: ${messageOf(thrown)}`,
        "End what has it, or set another: drover config set daemon.port 3004",
      ),
    ];
  } finally {
    server.close();
  }
}

async function lookAtGithub({ config, env }: Place): Promise<Finding[]> {
  const { tokenVariable } = config.github;
  if (env[tokenVariable]) return [ok("GitHub", `${tokenVariable} is set`)];
  const remedy = `Projects on GitHub need it: set ${tokenVariable} where the daemon is started. Local ones do not.`;
  return [warn("GitHub", `${tokenVariable} is not set in this shell`, remedy)];
}

async function lookAtAgents(place: Place): Promise<Finding[]> {
  const { agents } = place.config;
  return Promise.all(Object.entries(agents).map(([name, agent]) => lookAtAgent(place, name, agent)));
}

/** The agent that does the work must be there; another one may be missing. */
async function lookAtAgent({ config, environment, clock, paths, signal }: Place, name: string, agent: AgentConfig): Promise<Finding> {
  const check = `agent ${name}`;
  const judge = name === config.defaults.agent ? fail : warn;
  try {
    const driver = createDrivers(clock, paths.home, () => config).find(agent.driver);
    const variables = [...agent.env, ...(driver.credentials?.(agent) ?? [])];
    const detection = await driver.detect(agent, environment(variables), signal);
    if (!detection.found) return judge(check, "not found", detection.message);
    const found = `${detection.program}, version ${detection.version}`;
    if (detection.loggedIn !== false) return ok(check, `${found}${detection.loggedIn === true ? ", logged in" : ""}`);
    const keys = variables.length > 0 ? ` or set one of ${variables.join(", ")} where the daemon is started` : "";
    return judge(check, `${found}, not logged in`, `Start it once by hand and log in${keys}.`);
  } catch (thrown) {
    signal.throwIfAborted();
    return judge(check, "can't be used", messageOf(thrown));
  }
}

async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false; // missing or not ours: either way nothing can be written there
  }
}
