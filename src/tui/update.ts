import type { Event } from "../contract/event.ts";
import { actOn } from "./acts.ts";
import { typeInChat } from "./chat.ts";
import { entriesOf, filters } from "./entries.ts";
import { learn, learnFromEvent, type Reading } from "./facts.ts";
import { commandOf, type Command } from "./keys.ts";
import { atTop, moved, type Place } from "./list.ts";
import { look, only, say, withOrder, type Next } from "./next.ts";
import { typeInPrompt } from "./prompt.ts";
import { OUTPUT_MAX, viewNames, type Said, type State } from "./state.ts";
import { themeNames } from "./theme.ts";

/** What happens to the screen, from whichever side. A key has a name (`down`, `ctrl-c`) or is the character that it types. */
export type Action =
  | { readonly type: "key"; readonly key: string }
  | { readonly type: "pasted"; readonly text: string }
  | { readonly type: "resized"; readonly columns: number; readonly rows: number }
  | { readonly type: "ticked"; readonly now: number }
  | { readonly type: "read"; readonly reading: Reading }
  | { readonly type: "event"; readonly event: Event }
  | { readonly type: "connection"; readonly is: State["connection"] }
  | { readonly type: "notice"; readonly text: string; readonly isFailure: boolean }
  | { readonly type: "printed"; readonly run: string; readonly lines: readonly string[] }
  | { readonly type: "printedAll"; readonly run: string }
  | { readonly type: "said"; readonly said: Said };

/** What follows from an action: the next state, and what is to be done outside. Pure. */
export function update(state: State, action: Action): Next {
  switch (action.type) {
    case "key":
      return pressed(state, action.key);
    case "pasted":
      return state.prompt ? typeInPrompt(state, action.text) : state.chat.isTyping ? typeInChat(state, action.text) : only(state);
    case "resized":
      return only({ ...state, columns: action.columns, rows: action.rows });
    case "ticked":
      return only({ ...state, now: action.now });
    case "read":
      return only({ ...state, facts: learn(state.facts, action.reading) });
    case "event":
      return only({ ...state, facts: learnFromEvent(state.facts, action.event) });
    case "connection":
      return only({ ...state, connection: action.is });
    case "notice":
      return only({ ...state, notice: { text: action.text, isFailure: action.isFailure } });
    case "printed":
      return only(printed(state, action.run, action.lines));
    case "printedAll":
      return only(state.watched?.runId === action.run ? { ...state, watched: { ...state.watched, hasEnded: true } } : state);
    case "said":
      return only(say({ ...state, chat: { ...state.chat, askedAt: null } }, action.said.by, action.said.text));
  }
}

function printed(state: State, run: string, lines: readonly string[]): State {
  if (state.watched?.runId !== run) return state;
  const { lines: before, behind } = state.watched;
  // Who has scrolled up keeps what they look at.
  return {
    ...state,
    watched: { ...state.watched, lines: [...before, ...lines].slice(-OUTPUT_MAX), behind: behind === 0 ? 0 : behind + lines.length },
  };
}

function pressed(before: State, key: string): Next {
  const state = { ...before, notice: null };
  if (key === "ctrl-c") return withOrder(state, { do: "quit" });
  if (state.prompt) return typeInPrompt(state, key);
  if (state.showsHelp) return only({ ...state, showsHelp: false });
  if (state.view === "chat" && state.chat.isTyping) return key === "tab" ? carryOut(state, "nextView") : typeInChat(state, key);
  const command = commandOf(state.view, key);
  return command === undefined ? only(state) : carryOut(state, command);
}

function carryOut(state: State, command: Command): Next {
  if (state.watched) {
    const next = inOutput(state, command);
    if (next) return next;
  }
  switch (command) {
    case "view1":
    case "view2":
    case "view3":
    case "view4":
    case "view5":
      return show(state, Number(command.at(-1)) - 1);
    case "nextView":
      return show(state, viewNames.indexOf(state.view) + 1);
    case "previousView":
      return show(state, viewNames.indexOf(state.view) + viewNames.length - 1);
    case "up":
    case "down":
    case "pageUp":
    case "pageDown":
    case "first":
    case "last":
      return only(
        state.view === "chat"
          ? scrollChat(state, command)
          : move(state, (place) => moved(entriesOf(state).shown, place, steps(state, command))),
      );
    case "back":
      return only(look(state, { ...(state.looking[state.view].search === "" ? { filter: 0 } : { search: "" }), place: atTop }));
    case "search":
      return only({ ...state, prompt: { asks: "Search", text: state.looking[state.view].search, purpose: { to: "search" } } });
    case "filter":
      return only(look(state, { filter: (state.looking[state.view].filter + 1) % filters[state.view].length, place: atTop }));
    case "project":
      return only(nextProject(state));
    case "export":
      return only({ ...state, prompt: { asks: "Write to", text: `${state.view}.csv`, purpose: { to: "export" } } });
    case "theme":
      return only({ ...state, theme: themeNames[(themeNames.indexOf(state.theme) + 1) % themeNames.length] ?? state.theme });
    case "help":
      return only({ ...state, showsHelp: true });
    case "quit":
      return withOrder(state, { do: "quit" });
    case "type":
      return only({ ...state, chat: { ...state.chat, isTyping: true } });
    default:
      return actOn(state, command);
  }
}

/** While an agent's output is shown it has the keys that move, and the one that leads back. Undefined: the key is not for it. */
function inOutput(state: State, command: Command): Next | undefined {
  const { watched } = state;
  if (!watched) return undefined;
  switch (command) {
    case "up":
    case "down":
    case "pageUp":
    case "pageDown":
    case "first":
    case "last": {
      const most = Math.max(0, watched.lines.length - 1);
      return only({ ...state, watched: { ...watched, behind: Math.max(0, Math.min(most, watched.behind - steps(state, command))) } });
    }
    case "back":
    case "open":
      return withOrder({ ...state, watched: null }, { do: "unwatch" });
    case "search":
    case "filter":
    case "export":
      return only(state);
    default:
      return undefined;
  }
}

/** How many lines a key moves down. */
function steps({ rows }: State, command: "up" | "down" | "pageUp" | "pageDown" | "first" | "last"): number {
  const page = Math.max(1, rows - 6);
  return { up: -1, down: 1, pageUp: -page, pageDown: page, first: -Infinity, last: Infinity }[command];
}

function show(state: State, index: number): Next {
  const view = viewNames[index % viewNames.length] ?? state.view;
  const next = { ...state, view, watched: null, chat: { ...state.chat, isTyping: view === "chat" } };
  return state.watched ? withOrder(next, { do: "unwatch" }) : only(next);
}

function move(state: State, to: (place: Place) => Place): State {
  return look(state, { place: to(state.looking[state.view].place) });
}

function scrollChat(state: State, command: Parameters<typeof steps>[1]): State {
  return { ...state, chat: { ...state.chat, behind: Math.max(0, Math.min(10_000, state.chat.behind - steps(state, command))) } };
}

function nextProject(state: State): State {
  const ids = [null, ...state.facts.projects.map(({ id }) => id)];
  const projectId = ids[(ids.indexOf(state.projectId as (typeof ids)[number]) + 1) % ids.length] ?? null;
  return { ...look(state, { place: atTop }), projectId };
}
