import { NO_PROJECT, projectNow } from "./acts.ts";
import { only, say, withOrder, type Next } from "./next.ts";
import type { State } from "./state.ts";
import { typed } from "./typing.ts";

/** What a line that begins with a slash can be. */
export const chatCommands = [
  ["/plan TEXT", "file a plan for the project that is looked at"],
  ["/project NAME", "look at this project alone; without a name, at all"],
  ["/clear", "begin a new conversation"],
] as const;

/** A key, or pasted text, while a person types in the chat. */
export function typeInChat(state: State, key: string): Next {
  const { chat } = state;
  if (key === "escape") return only({ ...state, chat: { ...chat, isTyping: false } });
  if (key === "enter") return send({ ...state, chat: { ...chat, draft: "", behind: 0 } }, chat.draft.trim());
  const draft = typed(chat.draft, key);
  return only(draft === undefined ? state : { ...state, chat: { ...chat, draft } });
}

function send(state: State, text: string): Next {
  if (text === "") return only(state);
  const [, command = "", rest = ""] = /^\/(\w+)\s*([\s\S]*)$/u.exec(text) ?? [];
  if (command !== "") return carryOut(state, text, command, rest.trim());
  if (state.chat.askedAt !== null) return only(say(state, "drover", "The model has not answered yet."));
  const asked = say(state, "person", text);
  const messages = asked.chat.said.flatMap(({ by, text }) => (by === "drover" ? [] : [{ by, text }]));
  return withOrder({ ...asked, chat: { ...asked.chat, askedAt: state.now } }, { do: "ask", messages });
}

function carryOut(state: State, text: string, command: string, rest: string): Next {
  switch (command) {
    case "plan": {
      const project = projectNow(state);
      if (rest === "") return only(say(state, "drover", "Say what is wanted: /plan TEXT"));
      if (project === undefined) return only(say(state, "drover", `${NO_PROJECT} Or type: /project NAME`));
      return withOrder(say(state, "drover", text), { do: "plan", project, text: rest });
    }
    case "project": {
      const found = state.facts.projects.find(({ name }) => name === rest);
      if (rest !== "" && !found) return only(say(state, "drover", `There is no project ${rest}.`));
      return only(
        say({ ...state, projectId: found?.id ?? null }, "drover", found ? `Looking at ${found.name}.` : "Looking at all projects."),
      );
    }
    case "clear":
      return only({ ...state, chat: { ...state.chat, said: [], askedAt: null } });
    default:
      return only(say(state, "drover", `There is no /${command}. There is: ${chatCommands.map(([use]) => use).join(", ")}`));
  }
}
