import { ChatAnswer, Conversation } from "./chat.ts";
import { route, type Route } from "./route.ts";

/** Routes that tell of the whole: the conversation about it. */
export const insightRoutes = {
  chat: route({
    method: "POST",
    path: "/api/chat",
    summary: "What the model of the setting chat.model says to a conversation; nothing of it is kept",
    body: Conversation,
    response: ChatAnswer,
  }),
} as const satisfies Record<string, Route>;
