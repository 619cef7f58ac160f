import type { Order } from "./order.ts";
import type { Looking, Said, State } from "./state.ts";
import { SAID_MAX } from "./state.ts";

/** What follows from an action: the state from then on, and what is to be done outside. */
export interface Next {
  readonly state: State;
  readonly orders: readonly Order[];
}

export function only(state: State): Next {
  return { state, orders: [] };
}

export function withOrder(state: State, order: Order): Next {
  return { state, orders: [order] };
}

/** How the view in front looks at its list from now on. */
export function look(state: State, looking: Partial<Looking>): State {
  return { ...state, looking: { ...state.looking, [state.view]: { ...state.looking[state.view], ...looking } } };
}

/** The chat with one more word in it. */
export function say(state: State, by: Said["by"], text: string): State {
  return { ...state, chat: { ...state.chat, said: [...state.chat.said, { by, text }].slice(-SAID_MAX) } };
}
