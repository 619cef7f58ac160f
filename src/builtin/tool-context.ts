import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { compileCacheIn } from "../base/paths.ts";
import type { AgentOrder } from "../contract/agent-order.ts";
import type { Place } from "./place.ts";
import { refusalsTo } from "./refusals.ts";
import { createConfine, unconfined } from "./tools/confine.ts";
import { joinGroups } from "./tools/join-groups.ts";
import type { Confine, ToolContext } from "./tools/tool.ts";

export interface Surroundings extends Place {
  readonly clock: Clock;
}

/** What the tools of an order work with. */
export async function toolContext(
  order: AgentOrder,
  { workspace, env, groups, clock }: Surroundings,
  signal: AbortSignal,
): Promise<ToolContext> {
  const given = commandEnvironment(env, order);
  const confine = await confineFor(order, { workspace, env: given, clock }, signal);
  return {
    workspace,
    env: given,
    confine: confine !== null && groups !== null ? joinGroups(confine, groups) : confine,
    commandTimeoutMs: order.limits.commandTimeoutMs,
    allowedCommands: null,
    audit: refusalsTo(order.hookSpool),
  };
}

/** Without what is for the program alone: the provider's key, and where its compiled code is kept. */
function commandEnvironment(env: Surroundings["env"], { model, home }: AgentOrder): Record<string, string> {
  const isOurs = (name: string, value?: string) =>
    name === model.keyVariable || (name === "NODE_COMPILE_CACHE" && value === compileCacheIn(home));
  const others = Object.entries(env).filter(([name, value]) => !isOurs(name, value));
  return Object.fromEntries(others.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function confineFor(
  { sandbox, home, configDirectory }: AgentOrder,
  around: Pick<ToolContext, "workspace" | "env"> & Pick<Surroundings, "clock">,
  signal: AbortSignal,
): Promise<Confine | null> {
  if (sandbox === null) return unconfined;
  const { readable, allowedHosts: hosts } = sandbox;
  const directory = join(configDirectory, "sandbox");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return createConfine({ ...around, home, readable, hosts, directory }, signal);
}
