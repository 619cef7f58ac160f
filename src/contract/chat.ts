import { z } from "zod";
import { Usage } from "./proof.ts";
import { BuiltinConfig, OrderedModel } from "./provider.ts";
import { doc } from "./setting-meta.ts";

/** What was said in a conversation with a model. */
export const ChatMessage = z.strictObject({ by: z.enum(["person", "model"]), text: z.string().min(1).max(50_000) });
export type ChatMessage = z.infer<typeof ChatMessage>;

/** A conversation whose last word is a person's. The daemon keeps nothing of it. */
export const Conversation = z.strictObject({ messages: z.array(ChatMessage).min(1).max(200) });
export type Conversation = z.infer<typeof Conversation>;

/** What the model says to it. */
export const ChatAnswer = z.object({
  text: z.string(),
  /** `provider/model` */
  model: z.string(),
  usage: Usage,
});
export type ChatAnswer = z.infer<typeof ChatAnswer>;

/** The setting of the chat. */
export const ChatConfig = z.strictObject({
  model: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta(doc("the model that people talk to, an alias of `models` or PROVIDER/MODEL; null: there is no chat")),
});

/** What the program that asks the model is told, on its stdin. The key is in its environment, by the name that is told here. */
export const ChatOrder = z.strictObject({
  model: OrderedModel,
  instructions: z.string(),
  messages: z.array(ChatMessage),
  limits: BuiltinConfig,
});
export type ChatOrder = z.infer<typeof ChatOrder>;

/** What it says, on its stdout. */
export const ChatReply = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), text: z.string(), usage: Usage }),
  z.object({ ok: z.literal(false), message: z.string() }),
]);
export type ChatReply = z.infer<typeof ChatReply>;
