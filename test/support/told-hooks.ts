import { join } from "node:path";
import { expect } from "vitest";
import { readHookPayload, type HookMessage } from "../../src/agents/hook-payload.ts";
import { readSpool } from "../../src/process/spool.ts";
import type { AgentBench } from "./agent-bench.ts";

/** What the hooks of a bench's agents told, read as the daemon reads it; nothing of it may be damaged. */
export async function toldHooks({ folder }: AgentBench): Promise<HookMessage["event"][]> {
  const { records, damaged } = await readSpool(join(folder, "config", "hooks", "spool.jsonl"), 0);
  const told = records.map((record) => readHookPayload(JSON.parse(record), (text) => text)?.event);
  expect([damaged, told.filter((event) => event === undefined)]).toEqual([0, []]);
  return told.filter((event) => event !== undefined);
}

/** In one line each. */
export function outlineOf(told: readonly HookMessage["event"][]): string[] {
  return told.map(({ category, name, tool }) => [category, name, ...(tool === null ? [] : [tool])].join(" "));
}
