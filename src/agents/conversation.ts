import { fileURLToPath } from "node:url";
import { AppError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { compileCacheIn } from "../base/paths.ts";
import { ChatReply, type ChatAnswer, type ChatMessage, type ChatOrder } from "../contract/chat.ts";
import type { Config } from "../contract/config.ts";
import { runCommand } from "../process/command.ts";
import { orderedModel } from "./ordered-model.ts";

export interface ConversationParts {
  readonly settings: Pick<Config, "chat" | "models" | "providers" | "builtin">;
  readonly home: string;
  /** The daemon's environment reduced to the basics and these names. */
  readonly environment: (names: readonly string[]) => Record<string, string>;
  readonly clock: Clock;
}

const PROGRAM = fileURLToPath(new URL("../builtin/chat-main.ts", import.meta.url));
/** A person waits for the answer: better a failure that says why than a long silence. */
const PATIENCE = { retries: 2, retryDelayMs: 500, retryWaitMaxMs: 5000 };
const ANSWER_MAX_BYTES = 4 * 1024 * 1024;

/**
 * What the model of the setting `chat.model` says to a conversation. It is asked by a program of ours, which alone gets the key.
 * Throws `invalid`, saying what to set, when there is no model or no key for it; `unavailable` when its provider refuses.
 */
export async function askInChat(
  { settings, home, environment, clock }: ConversationParts,
  { instructions, messages }: { instructions: string; messages: readonly ChatMessage[] },
  signal: AbortSignal,
): Promise<ChatAnswer> {
  const { chat, builtin } = settings;
  if (chat.model === null) {
    const known = Object.keys(settings.models).join(", ");
    throw new AppError(
      "invalid",
      `The chat has no model. Set it to PROVIDER/MODEL or to one of ${known}, such as: drover config set chat.model sonnet`,
    );
  }
  const model = orderedModel(chat.model, settings, home);
  const env = environment(model.keyVariable === null ? [] : [model.keyVariable]);
  if (model.keyVariable !== null && !env[model.keyVariable])
    throw new AppError("invalid", `The daemon has no key of ${model.provider}: start it with ${model.keyVariable} in its environment.`);
  const order: ChatOrder = { model, instructions, messages: [...messages], limits: { ...builtin, ...PATIENCE } };
  const { stdout, stderr } = await runCommand([process.execPath, PROGRAM], {
    cwd: home,
    env: { NODE_COMPILE_CACHE: compileCacheIn(home), ...env },
    timeoutMs: builtin.callTimeoutMs,
    input: JSON.stringify(order),
    maxOutputBytes: ANSWER_MAX_BYTES,
    clock,
    signal,
  });
  const reply = readReply(stdout);
  if (reply === undefined) throw new AppError("internal", "The program that asks the model ended without an answer.", { stderr });
  if (!reply.ok) throw new AppError("unavailable", reply.message);
  return { text: reply.text, model: `${model.provider}/${model.model}`, usage: reply.usage };
}

function readReply(stdout: string): ChatReply | undefined {
  try {
    return ChatReply.parse(JSON.parse(stdout));
  } catch {
    return undefined; // the caller says that there was none
  }
}
