import { z } from "zod";
import { ChatAnswer, Conversation } from "./chat.ts";
import { route, type Route } from "./route.ts";

/** Routes that tell of the whole: the conversation about it, and its numbers for other programs. */
export const insightRoutes = {
  chat: route({
    method: "POST",
    path: "/api/chat",
    summary: "What the model of the setting chat.model says to a conversation; nothing of it is kept",
    body: Conversation,
    response: ChatAnswer,
  }),
  getMetrics: route({
    method: "GET",
    path: "/metrics",
    answers: "text",
    summary: "How things stand and what runs came to since the daemon began, as text for Prometheus",
    response: z.string(),
  }),
} as const satisfies Record<string, Route>;
