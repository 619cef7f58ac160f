import { randomUUID } from "node:crypto";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import type { SaidAgentLine } from "../contract/agent-line.ts";
import type { AgentOrder } from "../contract/agent-order.ts";
import { openModel } from "./open-model.ts";
import { loadTools } from "./outside-tools.ts";
import { ToolBox, type Person } from "./tool-box.ts";
import type { Place } from "./place.ts";
import { toolContext } from "./tool-context.ts";
import { runTools } from "./tools/run-tools.ts";
import { createTools } from "./tools/registry.ts";
import { Transcript } from "./transcript.ts";
import { work } from "./work.ts";

/** At most so often a sign of life is given while a long answer comes. */
const LIFE_MS = 10_000;

export interface Around extends Place {
  readonly person: Person;
  readonly say: (line: SaidAgentLine) => void;
  /** Says nothing, but that it lives. */
  readonly showLife: () => void;
}

/** Builds what an order needs and does its work. Returns the model's last words; throws as `work` does. */
export async function carryOut(order: AgentOrder, { person, say, showLife, ...place }: Around, signal: AbortSignal): Promise<string> {
  const { configDirectory, sessionId, limits, effort, permissions } = order;
  const transcript = sessionId === null ? Transcript.begin(configDirectory, randomUUID()) : Transcript.resume(configDirectory, sessionId);
  say({ type: "session_started", sessionId: transcript.sessionId, model: `${order.model.provider}/${order.model.model}` });
  const model = await openModel(order.model, place.env);
  const context = await toolContext(order, { ...place, clock: systemClock }, signal);
  const outside = await Promise.all(order.toolModules.map(loadTools));
  const drovers = order.drover === null ? [] : runTools(order.drover);
  const tools = [...createTools(null, systemClock), ...drovers, ...outside.flat()];
  const toolBox = new ToolBox({ tools, allowed: order.tools, permissions, context, person, say });
  const given = { model, effort, limits, toolBox, transcript, say };
  return work(order.prompt, { ...given, clock: systemClock, random: systemRandom, onChunk: every(LIFE_MS, showLife) }, signal);
}

/** Does `act` at most once in so many milliseconds, however often it is called for. */
function every(ms: number, act: () => void): () => void {
  let last = systemClock.elapsed();
  return () => {
    if (systemClock.elapsed() - last < ms) return;
    last = systemClock.elapsed();
    act();
  };
}
