import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { AgentOrder } from "../contract/agent-order.ts";
import { refusalsTo } from "./refusals.ts";
import { createConfine, unconfined } from "./tools/confine.ts";
import type { Confine, ToolContext } from "./tools/tool.ts";

export interface Surroundings {
  readonly workspace: string;
  /** The program's own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** What the tools of an order work with. */
export async function toolContext(order: AgentOrder, { workspace, env, clock }: Surroundings, signal: AbortSignal): Promise<ToolContext> {
  const given = withoutKey(env, order.model.keyVariable);
  return {
    workspace,
    env: given,
    confine: await confineFor(order, { workspace, env: given, clock }, signal),
    commandTimeoutMs: order.limits.commandTimeoutMs,
    allowedCommands: null,
    audit: refusalsTo(order.hookSpool),
  };
}

/** The provider's key is for the program alone: what the model wants to run does not see it. */
function withoutKey(env: Surroundings["env"], keyVariable: string | null): Record<string, string> {
  const others = Object.entries(env).filter(([name]) => name !== keyVariable);
  return Object.fromEntries(others.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

async function confineFor(
  { sandbox, configDirectory }: AgentOrder,
  around: Pick<ToolContext, "workspace" | "env"> & Pick<Surroundings, "clock">,
  signal: AbortSignal,
): Promise<Confine | null> {
  if (sandbox === null) return unconfined;
  const { home, readable, allowedHosts: hosts } = sandbox;
  const directory = join(configDirectory, "sandbox");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return createConfine({ ...around, home, readable, hosts, directory }, signal);
}
