import { z } from "zod";
import { Card } from "./board.ts";
import { Figure, FigureSubject } from "./figures.ts";
import { Timestamp } from "./ids.ts";
import { route } from "./route.ts";

/** What a screen for people needs besides the single things: all tasks at a look, what runs came to, and getting in. */
export const boardRoutes = {
  getBoard: route({
    method: "GET",
    path: "/api/board",
    summary: "Every open task and those that ended last, as small as a board needs them; events after `sequence` tell what changes",
    response: z.object({
      cards: z.array(Card),
      /** Open tasks that there was no room for: those that go last. */
      omitted: z.int().nonnegative(),
      sequence: z.int().nonnegative(),
    }),
  }),
  getCards: route({
    method: "GET",
    path: "/api/board/cards",
    summary: "Some tasks as the board shows them; what does not exist is left out",
    query: z.strictObject({ ids: z.string().max(10_000).default("").meta({ description: "ids of tasks, separated by commas" }) }),
    response: z.object({ cards: z.array(Card) }),
  }),
  getFigures: route({
    method: "GET",
    path: "/api/figures",
    summary: "What runs came to: how many, how they ended, time, tokens and money; a row a day and a name",
    query: z.strictObject({
      days: z.coerce.number().int().min(1).max(366).default(30).meta({ type: "integer", description: "how many days, today included" }),
      by: FigureSubject.default("project"),
    }),
    response: z.object({ items: z.array(Figure) }),
  }),
  createLoginLink: route({
    method: "POST",
    path: "/api/login-links",
    status: 201,
    summary: "A link that lets one browser in, once, within five minutes",
    response: z.object({ url: z.string(), expiresAt: Timestamp }),
  }),
  logOut: route({
    method: "POST",
    path: "/api/logout",
    summary: "Take away the pass of the browser that asks",
    response: z.object({ loggedOut: z.literal(true) }),
  }),
};
