/**
 * Drover's own agent. Reads its order (`AgentOrder`, a JSON line) and people's answers on stdin, works in the current directory,
 * and says what it does on stdout in the lines of docs/guides/command-agent.md. SIGTERM ends it with the tools that it runs.
 */
import { randomUUID } from "node:crypto";
import { systemClock } from "../base/clock.ts";
import { systemRandom } from "../base/random.ts";
import type { SaidAgentLine } from "../contract/agent-line.ts";
import type { AgentOrder } from "../contract/agent-order.ts";
import { Inbox } from "./inbox.ts";
import { openModel } from "./open-model.ts";
import { loadTools } from "./outside-tools.ts";
import { ToolBox } from "./tool-box.ts";
import { toolContext } from "./tool-context.ts";
import { createTools } from "./tools/registry.ts";
import { Transcript } from "./transcript.ts";
import { failedVerdict } from "./verdict.ts";
import { work } from "./work.ts";

/** An empty line, at most so often: a sign of life while a long answer comes. */
const LIFE_MS = 10_000;

// What its warnings are about (a setting that a model does not know) is nothing for a person to read after each call.
globalThis.AI_SDK_LOG_WARNINGS = false;

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
process.exit(await run(new Inbox(process.stdin), stop.signal));

/** Returns the exit code. Whoever ended it needs no verdict. */
async function run(inbox: Inbox, signal: AbortSignal): Promise<number> {
  try {
    const report = await carryOut(await inbox.order(), inbox, signal);
    say({ type: "turn_ended", verdict: { ok: true }, report });
    return 0;
  } catch (thrown) {
    if (!signal.aborted) say({ type: "turn_ended", verdict: failedVerdict(thrown) });
    return 1;
  }
}

async function carryOut(order: AgentOrder, inbox: Inbox, signal: AbortSignal): Promise<string> {
  const { configDirectory, sessionId, limits, effort, model } = order;
  const transcript = sessionId === null ? Transcript.begin(configDirectory, randomUUID()) : Transcript.resume(configDirectory, sessionId);
  say({ type: "session_started", sessionId: transcript.sessionId, model: `${model.provider}/${model.model}` });
  const around = { workspace: process.cwd(), env: process.env, clock: systemClock };
  const context = await toolContext(order, around, signal);
  const outside = await Promise.all(order.toolModules.map(loadTools));
  const tools = [...createTools(null, systemClock), ...outside.flat()];
  const toolBox = new ToolBox({ tools, allowed: order.tools, permissions: order.permissions, context, person: inbox, say });
  const given = { model: await openModel(model, process.env), effort, limits, toolBox, transcript };
  return work(order.prompt, { ...given, clock: systemClock, random: systemRandom, say, onChunk: signOfLife() }, signal);
}

function say(line: SaidAgentLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function signOfLife(): () => void {
  let last = systemClock.elapsed();
  return () => {
    if (systemClock.elapsed() - last < LIFE_MS) return;
    last = systemClock.elapsed();
    process.stdout.write("\n");
  };
}
