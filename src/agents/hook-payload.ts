import { z } from "zod";
import type { HookCategory, NewHookEvent } from "../contract/hook.ts";
import { cutText } from "./agent-text.ts";

/** What an agent's hook said, in our words. */
export interface HookMessage {
  readonly event: NewHookEvent;
  /** What it says that it waits for. */
  readonly waits: "permission" | "answer" | null;
  /** That it asks its provider again, and for which time. */
  readonly retries: { readonly attempt: number; readonly message: string } | null;
}

/** A whole tool result is worth keeping; a file of a megabyte in it is not. */
const VALUE_MAX = 16 * 1024;
const DETAIL_MAX = 64 * 1024;

/**
 * What is common to the hooks of Claude Code, Codex, Gemini CLI and Qwen Code, whose payloads name their event, and to what
 * our plugin for OpenCode sends.
 */
const Payload = z.looseObject({
  hook_event_name: z.string().min(1).max(100),
  tool_name: z.string().max(200).optional().catch(undefined),
  /** Of a `Notification`. */
  notification_type: z.string().optional().catch(undefined),
});

/** The `session.status` of OpenCode while it waits to ask its provider again. */
const Retry = z.object({ status: z.object({ type: z.literal("retry"), attempt: z.int().positive(), message: z.string() }) });

/** By the names of all agents; what is in none of these is a session event. */
const TOOL = /^(?:(?:Pre|Post)Tool(?:Use|Batch)|(?:Before|After)Tool|tool\.execute\.(?:before|after))$/u;
const ERROR = /(?:Failure|Denied|Error)$|\.error$/u;
const STATE = /^(?:Permission\w*|Notification|Elicitation|permission\..*|session\.(?:idle|status))$/u;

/**
 * A hook's payload as a hook event; undefined: it is none, for it names no event.
 * @param clean makes a text from outside fit to be stored; very long ones are cut only then, so that no half of a secret stays.
 */
export function readHookPayload(payload: unknown, clean: (text: string) => string): HookMessage | undefined {
  const parsed = Payload.safeParse(payload);
  if (!parsed.success) return undefined;
  const { hook_event_name: name, tool_name: tool, notification_type: notification, ...rest } = parsed.data;
  const detail = detailOf({ ...rest, ...(notification !== undefined && { notification_type: notification }) }, clean);
  const event = {
    source: "agent",
    category: categoryOf(name),
    name: clean(name),
    tool: tool === undefined ? null : clean(tool),
    detail,
  } as const;
  return { event, waits: waitsFor(name, notification), retries: retriesOf(detail) };
}

function categoryOf(name: string): HookCategory {
  if (TOOL.test(name)) return "tool";
  if (ERROR.test(name)) return "error";
  return STATE.test(name) ? "state" : "session";
}

function waitsFor(name: string, notification: string | undefined): HookMessage["waits"] {
  if (name === "PermissionRequest" || name === "permission.asked" || notification === "permission_prompt") return "permission";
  return name === "Elicitation" || notification === "idle_prompt" || notification === "elicitation_dialog" ? "answer" : null;
}

function retriesOf(detail: NewHookEvent["detail"]): HookMessage["retries"] {
  const retry = Retry.safeParse(detail).data?.status;
  return retry === undefined ? null : { attempt: retry.attempt, message: cutText(retry.message, 500) };
}

function detailOf(payload: Readonly<Record<string, unknown>>, clean: (text: string) => string): NewHookEvent["detail"] {
  const cleaned = mapTexts(payload, clean);
  for (const max of [VALUE_MAX, 1024, 100]) {
    const detail = mapTexts(cleaned, (text) => cutText(text, max)) as NewHookEvent["detail"];
    if (JSON.stringify(detail).length <= DETAIL_MAX) return detail;
  }
  return { cut: cutText(JSON.stringify(cleaned), VALUE_MAX) };
}

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === "string") return map(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [map(key), mapTexts(item, map)]));
}
