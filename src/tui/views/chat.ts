import { show, Shown, painted, type Paint } from "../../words/shown.ts";
import { inOneUnit } from "../../words/format.ts";
import { chatCommands } from "../chat.ts";
import { fit, inColumns, wrap, type Line } from "../line.ts";
import type { Said, State } from "../state.ts";

const NAME_WIDTH = 7;
const names: Readonly<Record<Said["by"], readonly [string, Paint]>> = {
  person: ["you", "cyan"],
  model: ["model", "green"],
  drover: ["drover", "dim"],
};

/** The conversation, its end at the bottom, with the line that is typed under it. */
export function drawChat(state: State, width: number, height: number): Line[] {
  const { said, behind, askedAt } = state.chat;
  const waits =
    askedAt === null ? [] : [fit(painted("dim", `the model thinks, for ${inOneUnit(Math.max(0, state.now - askedAt))}`), width)];
  const spoken = said.length === 0 && askedAt === null ? welcome(width) : [...said.flatMap((one) => drawSaid(one, width)), ...waits];
  const draft = drawDraft(state, width).slice(-Math.max(1, Math.floor(height / 2)));
  const room = Math.max(0, height - draft.length - 1);
  const end = Math.max(Math.min(room, spoken.length), spoken.length - behind);
  const shown = spoken.slice(Math.max(0, end - room), end);
  return [
    ...Array.from({ length: room - shown.length }, () => fit(show``, width)),
    ...shown,
    fit(painted("dim", "─".repeat(width)), width),
    ...draft,
  ];
}

function drawSaid({ by, text }: Said, width: number): Line[] {
  const [name, paint] = names[by];
  const lines = Shown.lines(text).parts.flatMap((part) => wrap(part.text, width - NAME_WIDTH - 2));
  return lines.map((line, index) =>
    inColumns(
      [
        { shown: painted(paint, index === 0 ? name : ""), width: NAME_WIDTH },
        { shown: Shown.lines(line), width: 0 },
      ],
      width,
    ),
  );
}

function drawDraft({ chat: { draft, isTyping } }: State, width: number): Line[] {
  if (!isTyping) return [fit(painted("dim", "Press i to type."), width)];
  return wrap(
    `> ${Shown.lines(draft)
      .parts.map(({ text }) => text)
      .join("")}█`,
    width,
  ).map((line) => fit(Shown.lines(line), width));
}

function welcome(width: number): Line[] {
  const lines = [
    show`${painted("bold", "Chat")} with the model that the setting ${painted("cyan", "chat.model")} names.`,
    show`It is told how your tasks stand, and changes nothing.`,
    show``,
    ...chatCommands.map(([use, does]) =>
      inColumns(
        [
          { shown: painted("cyan", use), width: 14 },
          { shown: show`${does}`, width: 0 },
        ],
        width,
      ),
    ),
  ];
  return lines.map((line) => fit(line, width));
}
