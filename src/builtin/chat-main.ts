/**
 * Asks a model once in a conversation. Reads its order (`ChatOrder`) on stdin and says on stdout what came of it (`ChatReply`).
 * A program of its own, so that the daemon holds neither the key's provider nor its code in memory.
 */
import { text } from "node:stream/consumers";
import { systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { ChatOrder, type ChatReply } from "../contract/chat.ts";
import { askModel } from "./ask-model.ts";
import { askPatiently } from "./ask-patiently.ts";
import { openModel } from "./open-model.ts";

globalThis.AI_SDK_LOG_WARNINGS = false;

const stop = new AbortController();
process.once("SIGTERM", () => stop.abort(new Error("ended by SIGTERM")));
process.stdout.write(JSON.stringify(await converse(await text(process.stdin), stop.signal)));

async function converse(order: string, signal: AbortSignal): Promise<ChatReply> {
  try {
    const { model: ordered, instructions, messages, limits } = ChatOrder.parse(JSON.parse(order));
    const model = await openModel(ordered, process.env);
    const asking = { model, clock: systemClock, limits, onChunk: () => {} };
    const said = messages.map(({ by, text: content }) => ({ role: by === "person" ? ("user" as const) : ("assistant" as const), content }));
    const ask = () => askModel(asking, { instructions, messages: said, tools: [], effort: null }, signal);
    const answer = await askPatiently(ask, { clock: systemClock, random: systemRandom, limits, say: () => {} }, signal);
    return { ok: true, text: answer.text, usage: { ...answer.usage, costUsdMicros: null } };
  } catch (thrown) {
    return { ok: false, message: messageOf(thrown) };
  }
}
