/**
 * A real agent in small that speaks the Agent Client Protocol: asks a model over the unix socket MODEL_SOCKET, asks for a
 * permission before it uses a tool of its own, and keeps its sessions in HOME.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { agent, methods, ndJsonStream, RequestError, type AgentContext, type SessionUpdate, type ToolCall } from "@agentclientprotocol/sdk";
import { askModel, useTool, type Block, type Message, type ToolInput } from "../support/small-model.ts";

const { HOME = ".", MODEL_SOCKET = "" } = process.env;
const KINDS: Record<string, "edit" | "execute"> = { Write: "edit", Bash: "execute" };
/** A session with what it has cost so far, US dollars. */
interface Session {
  readonly messages: Message[];
  cost: number;
}
const sessions = new Map<string, Session>();
const fileOf = (sessionId: string) => join(HOME, `${sessionId}.json`);
const cancel = new AbortController();

const { closed } = agent({ name: "small" })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentCapabilities: { sessionCapabilities: { resume: {} } },
    agentInfo: { name: "small-acp-agent", version: "1.2.3" },
  }))
  .onRequest(methods.agent.session.new, () => {
    const sessionId = `${process.pid}-${randomUUID()}`;
    sessions.set(sessionId, { messages: [], cost: 0 });
    return { sessionId };
  })
  .onRequest(methods.agent.session.resume, async ({ params: { sessionId }, client }) => {
    const session = JSON.parse(readFileSync(fileOf(sessionId), "utf8")) as Session;
    sessions.set(sessionId, session);
    await tellCost(client, sessionId, session.cost);
    return {};
  })
  .onNotification(methods.agent.session.cancel, () => cancel.abort())
  .onRequest(methods.agent.session.prompt, async ({ params, client }) => {
    const session = sessions.get(params.sessionId) ?? { messages: [], cost: 0 };
    session.messages.push({ role: "user", content: params.prompt.map((block) => (block.type === "text" ? block.text : "")).join("") });
    const usage = await work(client, params.sessionId, session);
    writeFileSync(fileOf(params.sessionId), JSON.stringify(session));
    return { stopReason: cancel.signal.aborted ? "cancelled" : "end_turn", usage };
  })
  .connect(ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>));
await closed;
process.exit(0);

function tellCost(client: AgentContext, sessionId: string, amount: number): Promise<void> {
  const update = { sessionUpdate: "usage_update" as const, used: 1000, size: 200_000, cost: { amount, currency: "USD" } };
  return client.notify(methods.client.session.update, { sessionId, update });
}

async function work(client: AgentContext, sessionId: string, session: Session) {
  const { messages } = session;
  const usage = { totalTokens: 0, inputTokens: 0, outputTokens: 0, cachedReadTokens: 0 };
  const update = (one: SessionUpdate) => client.notify(methods.client.session.update, { sessionId, update: one });
  while (!cancel.signal.aborted) {
    const answer = await askModel(MODEL_SOCKET, messages, () => {});
    if ("status" in answer) throw new RequestError(-32603, `The model answered ${answer.status || "nothing: terminated"}.`);
    messages.push({ role: "assistant", content: answer.content });
    usage.inputTokens += answer.usage.input_tokens;
    usage.outputTokens += answer.usage.output_tokens;
    usage.totalTokens = usage.inputTokens + usage.outputTokens;
    session.cost += (4 * answer.usage.input_tokens + 20 * answer.usage.output_tokens) / 1_000_000;
    await tellCost(client, sessionId, session.cost);
    // In pieces, as a model streams it.
    for (const word of answer.content
      .map((block) => block.text ?? "")
      .join("")
      .split(/(?<= )/u))
      await update({ sessionUpdate: "agent_message_chunk", content: { type: "text", text: word } });
    const calls = answer.content.filter((block) => block.type === "tool_use");
    if (calls.length === 0) break;
    const results: Block[] = [];
    for (const { id = "", name = "", input = {} } of calls) results.push(await useAllowed(id, name, input));
    messages.push({ role: "user", content: results });
  }
  return usage;

  async function useAllowed(toolCallId: string, name: string, input: ToolInput): Promise<Block> {
    const locations = input.file_path === undefined ? [] : [{ path: input.file_path }];
    const toolCall: ToolCall = { toolCallId, name, title: `Use ${name}`, kind: KINDS[name] ?? "other", rawInput: input, locations };
    await update({ sessionUpdate: "tool_call", ...toolCall, status: "pending" });
    const { outcome } = await client.request(methods.client.session.requestPermission, {
      sessionId,
      toolCall,
      options: [
        { optionId: "always", name: "Always", kind: "allow_always" },
        { optionId: "yes", name: "Yes", kind: "allow_once" },
        { optionId: "no", name: "No", kind: "reject_once" },
      ],
    });
    const isAllowed = outcome.outcome === "selected" && outcome.optionId === "yes";
    const { failed, output } = isAllowed ? await useTool(input, cancel.signal) : { failed: true, output: "The person said no." };
    await update({ sessionUpdate: "tool_call_update", toolCallId, status: failed ? "failed" : "completed" });
    return { type: "tool_result", tool_use_id: toolCallId, content: output };
  }
}
