import type { Card } from "../../contract/board.ts";
import type { Event } from "../../contract/event.ts";

export interface BoardStoreParts {
  readonly loadAll: () => Promise<{ cards: Card[]; omitted: number }>;
  readonly loadSome: (ids: readonly string[]) => Promise<Card[]>;
  /** Calls later, once. */
  readonly later: (ms: number, run: () => void) => void;
}

/** All that the board knows. A new object each time that something changed. */
export interface Board {
  readonly cards: ReadonlyMap<string, Card>;
  readonly omitted: number;
  readonly isLoaded: boolean;
  readonly error: Error | undefined;
}

const GATHER_MS = 30;
const SOME_MAX = 150;
/** What agents say and do in between changes no card. */
const changesCard = /^(?:task|branch)\.|^effect\.done$|^run\.(?:started|adopted|progressed|state_changed|question_|ended)/;

/**
 * The cards of all tasks. The whole is asked for once; then each event that changes a card has that card asked for anew, many at
 * once where many come, so that a card is always what the database says.
 */
export class BoardStore {
  readonly #parts: BoardStoreParts;
  readonly #listeners = new Set<() => void>();
  readonly #changed = new Set<string>();
  #board: Board = { cards: new Map(), omitted: 0, isLoaded: false, error: undefined };
  #isPlanned = false;

  constructor(parts: BoardStoreParts) {
    this.#parts = parts;
  }

  readonly board = (): Board => this.#board;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  async load(): Promise<void> {
    try {
      const { cards, omitted } = await this.#parts.loadAll();
      this.#set({ cards: new Map(cards.map((card) => [card.id, card])), omitted, isLoaded: true, error: undefined });
    } catch (thrown) {
      // Shown; the connection that comes back loads again.
      this.#set({ ...this.#board, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
  }

  onEvent({ type, taskId }: Event): void {
    if (taskId === null || !changesCard.test(type)) return;
    this.#changed.add(taskId);
    this.#plan();
  }

  /** As if it had come from the daemon: for what a person has just done, until the daemon says it. */
  show(card: Card): void {
    this.#merge([card]);
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#parts.later(GATHER_MS, () => void this.#loadChanged());
  }

  async #loadChanged(): Promise<void> {
    const ids = [...this.#changed].slice(0, SOME_MAX);
    for (const id of ids) this.#changed.delete(id);
    try {
      this.#merge(await this.#parts.loadSome(ids));
    } catch {
      // The connection is lost: when it comes back, everything is loaded.
    }
    this.#isPlanned = false;
    if (this.#changed.size > 0) this.#plan();
  }

  #merge(changed: readonly Card[]): void {
    const cards = new Map(this.#board.cards);
    for (const card of changed) cards.set(card.id, card);
    this.#set({ ...this.#board, cards });
  }

  #set(board: Board): void {
    this.#board = board;
    for (const listener of this.#listeners) listener();
  }
}
