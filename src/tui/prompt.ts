import { entriesOf } from "./entries.ts";
import { atTop } from "./list.ts";
import { look, only, withOrder, type Next } from "./next.ts";
import type { Prompt, State } from "./state.ts";
import { typed } from "./typing.ts";

/** A key while a line is typed. A search holds while it is typed; all else is done at its end. */
export function typeInPrompt(state: State, key: string): Next {
  const { prompt } = state;
  if (prompt === null) return only(state);
  const closed = { ...state, prompt: null };
  if (key === "escape") return only(prompt.purpose.to === "search" ? look(closed, { search: "", place: atTop }) : closed);
  if (prompt.purpose.to === "confirm") return key === "y" ? withOrder(closed, prompt.purpose.order) : only(closed);
  if (key === "enter") return finished(closed, prompt);
  const text = typed(prompt.text, key.replaceAll("\n", " "));
  if (text === undefined) return only(state);
  const next = { ...state, prompt: { ...prompt, text } };
  return only(prompt.purpose.to === "search" ? look(next, { search: text, place: atTop }) : next);
}

function finished(state: State, { purpose, text }: Prompt): Next {
  switch (purpose.to) {
    case "export":
      if (text.trim() === "") return only(state);
      return withOrder(state, { do: "export", file: text.trim(), records: entriesOf(state).shown.map(({ record }) => record) });
    case "order":
      return withOrder(state, purpose.make(text.trim()));
    case "search":
    case "confirm":
      return only(state);
  }
}
