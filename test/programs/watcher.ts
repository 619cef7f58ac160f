/**
 * Starts an agent and follows it until it asks a question, as a daemon does, and then waits to be killed:
 * `node watcher.ts FILE`, where FILE is JSON of what to start. Prints the question.
 */
import { readFileSync } from "node:fs";
import { createDrivers } from "../../src/agents/registry.ts";
import type { LaunchRequest } from "../../src/agents/driver.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { ModelSettings } from "../../src/contract/config.ts";
import { AgentRun, openHost } from "../support/agent-run.ts";

export interface Watched {
  readonly scope: string;
  readonly driver: string;
  /** Of the configuration, for our own agent. */
  readonly models: ModelSettings;
  readonly request: LaunchRequest;
  readonly directory: string;
  readonly marker: string;
}

const { scope, driver: name, models, request, directory, marker } = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Watched;
const driver = createDrivers(systemClock, scope, () => models).find(name);
const run = await AgentRun.start(openHost(scope), driver, request, { directory, marker });
console.log(JSON.stringify(await run.until("question_asked")));
setInterval(() => {}, 60_000);
