import type {
  PermissionOption,
  PromptResponse,
  RequestPermissionOutcome,
  RequestPermissionRequest,
  SessionUpdate,
  StopReason,
  ToolCall,
  ToolCallUpdate,
} from "@agentclientprotocol/sdk";
import { isAbsolute, relative } from "node:path";
import { z } from "zod";
import type { AgentConfig } from "../contract/config.ts";
import { readUsageLimit } from "./usage-limit.ts";

/** A line of the protocol in docs/guides/command-agent.md. An empty object stands for an empty line: a sign of life alone. */
export type SaidLine = Readonly<Record<string, unknown>>;

/** What a tool call is known by so far; agents tell it in pieces. */
type Call = ToolCallUpdate & { isTold: boolean };

export interface Surroundings {
  readonly permissions: AgentConfig["permissions"];
  readonly workspace: string;
  readonly say: (line: SaidLine) => void;
}

/**
 * What an agent says over the Agent Client Protocol in one turn, in the words of our own. Only what comes between `begin` and
 * `end` counts: an agent that loads a session tells all of it again.
 */
export class AcpTranslator {
  readonly #around: Surroundings;
  readonly #calls = new Map<string, Call>();
  #isOpen = false;
  #message = "";
  #messageId: string | undefined;
  #lastMessage = "";
  /** The tool that a person said no to, as long as none has worked since. */
  #denied: string | undefined;
  #costBefore: number | undefined;
  #cost: number | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** `isNew`: the session has cost nothing before this turn. */
  begin({ isNew }: { isNew: boolean }): void {
    this.#isOpen = true;
    if (isNew) this.#costBefore = 0;
  }

  update(update: SessionUpdate): void {
    if (update.sessionUpdate === "usage_update") this.#readCost(update.cost);
    if (!this.#isOpen) return;
    switch (update.sessionUpdate) {
      case "agent_message_chunk":
        return this.#readChunk(update);
      case "tool_call":
      case "tool_call_update":
        return this.#readCall(update);
      default:
        this.#around.say({});
    }
  }

  /** What follows from the agent's settings for a permission that it asks for; undefined: a person has to say. */
  decide(request: RequestPermissionRequest): RequestPermissionOutcome | undefined {
    this.#readCall(request.toolCall);
    const { permissions, workspace } = this.#around;
    const call = this.#calls.get(request.toolCall.toolCallId) ?? request.toolCall;
    return permissions === "all" || (permissions === "edit" && staysInside(call, workspace)) ? choose(request.options, "allow") : undefined;
  }

  ask(id: string, { toolCall }: RequestPermissionRequest): void {
    const call = this.#calls.get(toolCall.toolCallId) ?? toolCall;
    this.#around.say({ type: "question_asked", id, tool: toolOf(call), input: inputOf(call) });
  }

  answered({ toolCall, options }: RequestPermissionRequest, allow: boolean): RequestPermissionOutcome {
    if (!allow) this.#denied = toolOf(this.#calls.get(toolCall.toolCallId) ?? toolCall);
    return choose(options, allow ? "allow" : "reject");
  }

  /** The turn is over: says what is left of it, and the last word. */
  end(response: PromptResponse): void {
    this.#flush();
    this.#sayUsage(response);
    this.#sayEnd(this.#judge(response));
  }

  fail(failure: Failure): void {
    this.#flush();
    this.#sayEnd({ ok: false, ...failure });
  }

  #judge({ stopReason }: PromptResponse): object {
    if (stopReason !== "end_turn") return { ok: false, reason: "agent_error", message: STOPS[stopReason] };
    if (this.#denied === undefined) return { ok: true };
    return { ok: false, reason: "permission_denied", message: `The agent was not allowed to use ${this.#denied} and stopped there.` };
  }

  #sayEnd(verdict: object): void {
    this.#isOpen = false;
    this.#around.say({ type: "turn_ended", verdict, report: this.#lastMessage });
  }

  #readChunk({ content, messageId = null }: Extract<SessionUpdate, { sessionUpdate: "agent_message_chunk" }>): void {
    if (messageId !== null && messageId !== this.#messageId) this.#flush();
    this.#messageId = messageId ?? undefined;
    if (content.type === "text") this.#message += content.text;
    this.#around.say({});
  }

  #flush(): void {
    const text = this.#message.trim();
    this.#message = "";
    if (text === "") return;
    this.#lastMessage = text;
    this.#around.say({ type: "message", text });
  }

  #readCall(update: ToolCall | ToolCallUpdate): void {
    this.#flush();
    const before = this.#calls.get(update.toolCallId);
    const told = Object.entries(update).filter(([, value]) => value !== null && value !== undefined);
    const call: Call = { isTold: false, ...before, ...(Object.fromEntries(told) as ToolCallUpdate) };
    this.#calls.set(call.toolCallId, call);
    const isOver = call.status === "completed" || call.status === "failed";
    if (!call.isTold && (isOver || hasInput(call))) {
      call.isTold = true;
      this.#around.say({ type: "tool_called", id: call.toolCallId, tool: toolOf(call), input: inputOf(call) });
    } else this.#around.say({});
    if (!isOver || before?.status === call.status) return;
    if (call.status === "completed") this.#denied = undefined;
    this.#around.say({ type: "tool_finished", id: call.toolCallId, tool: toolOf(call), failed: call.status === "failed" });
  }

  #readCost(cost: { amount: number; currency: string } | null | undefined): void {
    if (cost?.currency !== "USD") return;
    if (!this.#isOpen) this.#costBefore = cost.amount;
    else this.#cost = cost.amount;
  }

  #sayUsage(response: PromptResponse): void {
    const { usage, _meta: meta } = Told.parse(response);
    const tokens = usage ?? meta?.quota?.token_count;
    const isCostKnown = this.#cost !== undefined && this.#costBefore !== undefined;
    if (!tokens && !isCostKnown) return;
    const cacheReadTokens = tokens?.cachedReadTokens ?? 0;
    this.#around.say({
      type: "usage",
      usage: {
        inputTokens: (tokens?.inputTokens ?? tokens?.input_tokens ?? 0) + (tokens?.cachedWriteTokens ?? 0),
        outputTokens: tokens?.outputTokens ?? tokens?.output_tokens ?? 0,
        cacheReadTokens,
        costUsdMicros: isCostKnown ? Math.round(((this.#cost ?? 0) - (this.#costBefore ?? 0)) * 1_000_000) : null,
      },
    });
  }
}

export interface Failure {
  readonly reason: "agent_error" | "auth" | "network" | "overloaded" | "usage_limit";
  readonly message: string;
  readonly retryAt: number | null;
}

/** Why a request to the agent failed, as far as its words tell: the protocol has one code of its own only, for a missing login. */
export function failureOf({ code, message, data }: { code?: number; message: string; data?: unknown }): Failure {
  const text = [message, data === undefined ? "" : JSON.stringify(data)].join(" ").trim();
  const failure = (reason: Failure["reason"], retryAt: number | null = null) => ({ reason, message: text, retryAt });
  const limit = readUsageLimit(text, null);
  if (limit) return failure("usage_limit", limit.resetsAt);
  if (code === AUTH_REQUIRED || /\b40[13]\b|unauthori[sz]ed|authenticat|\bapi.?key\b|\blog(?:ged)? ?in\b/iu.test(text))
    return failure("auth");
  if (/\b(?:429|5\d\d)\b|overloaded|rate.?limit|resource.?exhausted|quota/iu.test(text)) return failure("overloaded");
  // An answer that broke off.
  if (/terminated|socket hang up|ECONNRESET|EPIPE|stream/iu.test(text)) return failure("overloaded");
  if (/fetch failed|ECONN|ENOTFOUND|EAI_AGAIN|network|connection/iu.test(text)) return failure("network");
  return failure("agent_error");
}

/** https://agentclientprotocol.com/protocol/v1/schema#errorcode */
const AUTH_REQUIRED = -32000;

const STOPS: Readonly<Record<Exclude<StopReason, "end_turn">, string>> = {
  max_tokens: "The agent stopped: its model's answer reached the longest length that it may have.",
  max_turn_requests: "The agent stopped: it has made as many requests to its model as it may in one turn.",
  refusal: "The agent stopped: its model refused to go on.",
  cancelled: "The agent was interrupted.",
};

const tokens = z.number().nullish();
/** What agents tell of their use: the draft's `usage` (claude, codex, opencode), and Gemini CLI's own. */
const Told = z.object({
  usage: z
    .object({ inputTokens: tokens, outputTokens: tokens, cachedReadTokens: tokens, cachedWriteTokens: tokens })
    .partial()
    .nullish()
    .catch(undefined)
    .transform((usage) => usage && { ...usage, input_tokens: undefined, output_tokens: undefined }),
  _meta: z
    .object({
      quota: z.object({
        token_count: z.object({ input_tokens: tokens, output_tokens: tokens }).transform((count) => ({
          ...count,
          inputTokens: undefined,
          outputTokens: undefined,
          cachedReadTokens: undefined,
          cachedWriteTokens: undefined,
        })),
      }),
    })
    .nullish()
    .catch(undefined),
});

/** An agent's own name of the tool, where it tells one, else what kind of tool it is. */
function toolOf({ name, kind }: ToolCallUpdate): string {
  return name ?? kind ?? "tool";
}

function hasInput({ rawInput, status }: ToolCallUpdate): boolean {
  const isFilled = typeof rawInput === "object" && rawInput !== null && Object.keys(rawInput).length > 0;
  return isFilled || (status !== undefined && status !== "pending");
}

function inputOf({ rawInput, title, content, locations }: ToolCallUpdate): unknown {
  return rawInput ?? { title, ...(content && { content }), ...(locations && { locations }) };
}

const HARMLESS: ReadonlySet<string> = new Set(["read", "search", "think", "execute"]);
const CHANGING: ReadonlySet<string> = new Set(["edit", "delete", "move"]);

/** What `permissions: edit` allows: looking, commands, and changes of files that are all named and in the workspace. */
function staysInside({ kind, locations }: ToolCallUpdate, workspace: string): boolean {
  if (HARMLESS.has(kind ?? "other")) return true;
  return CHANGING.has(kind ?? "other") && !!locations?.length && locations.every(({ path }) => isInside(path, workspace));
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, isAbsolute(path) ? path : `${folder}/${path}`);
  return way !== ".." && !way.startsWith("../") && !isAbsolute(way);
}

/** The narrowest option of its kind: a yes for ever is nothing that was said. An agent that offers none is told that nobody chose. */
function choose(options: readonly PermissionOption[], answer: "allow" | "reject"): RequestPermissionOutcome {
  const option = options.find(({ kind }) => kind === `${answer}_once`) ?? options.find(({ kind }) => kind === `${answer}_always`);
  return option ? { outcome: "selected", optionId: option.optionId } : { outcome: "cancelled" };
}
