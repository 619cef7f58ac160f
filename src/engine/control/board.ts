import type { Card } from "../../contract/board.ts";
import { findCards, listCards } from "../../store/board.ts";
import { listFigures } from "../../store/figures.ts";
import { lastSequence } from "../../store/events.ts";
import type { ControlParts, Verbs } from "./scope.ts";

type Names = "getBoard" | "getCards" | "getFigures";

/** More cards than this nobody looks through; what goes first is among them. */
const OPEN_MAX = 10_000;
const ENDED_MAX = 500;
const DAY_MS = 24 * 3_600_000;

/** All tasks at a look: the board, their order on it, and what runs came to. */
export function boardVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;
  const live = (card: Card): Card =>
    card.run === null ? card : { ...card, run: { ...card.run, state: parts.engine.stateOf(card.run.id)?.state ?? null } };

  return {
    getBoard() {
      // Read first: what is committed while the cards are read is told again.
      const sequence = lastSequence(reader);
      const { cards, omitted } = listCards(reader, { open: OPEN_MAX, ended: ENDED_MAX });
      return { cards: cards.map(live), omitted, sequence };
    },

    getCards: ({ query }) => ({ cards: findCards(reader, query.ids.split(",")).map(live) }),

    getFigures: ({ query }) => ({ items: listFigures(reader, startOfDay(parts.clock.now()) - (query.days - 1) * DAY_MS, query.by) }),
  };
}

function startOfDay(at: number): number {
  return at - (at % DAY_MS);
}
