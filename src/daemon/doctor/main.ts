import { homedir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { homePaths } from "../../base/paths.ts";
import { loadConfig } from "../../config/load.ts";
import { Config } from "../../contract/config.ts";
import { agentEnvironment } from "../settings.ts";
import { channelCheck } from "./channels.ts";
import { droverChecks } from "./drover.ts";
import { examine } from "./examination.ts";
import { machineChecks } from "./machine.ts";

// `drover doctor`, whether a daemon runs or not: prints its findings as one line of JSON.

/** An agent that does not say its version by then is broken. */
const LOOK_MAX_MS = 90_000;

const { env } = process;
const paths = homePaths(env["DROVER_HOME"] ?? join(homedir(), ".drover"));
const { config, configError } = readConfig();
const place = {
  paths,
  config,
  configError,
  env,
  environment: (names: readonly string[]) => agentEnvironment(env, names),
  clock: systemClock,
  signal: AbortSignal.timeout(LOOK_MAX_MS),
};
process.stdout.write(`${JSON.stringify(await examine(place, [...machineChecks, ...droverChecks, channelCheck]))}\n`);
process.exit(0);

/** With a wrong file the rest is looked at as if there were none. */
function readConfig(): { config: Config; configError: string | null } {
  try {
    return { config: loadConfig({ globalFile: paths.config, env }).config, configError: null };
  } catch (thrown) {
    return { config: Config.parse({}), configError: messageOf(thrown) };
  }
}
