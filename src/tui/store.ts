import type { Order } from "./order.ts";
import type { State } from "./state.ts";
import { update, type Action } from "./update.ts";

/** Holds the state of the screen: actions change it, orders leave it, and whoever draws is told. */
export class Store {
  readonly #listeners = new Set<() => void>();
  readonly #onOrder: (order: Order) => void;
  #state: State;

  constructor(state: State, onOrder: (order: Order) => void) {
    this.#state = state;
    this.#onOrder = onOrder;
  }

  readonly get = (): State => this.#state;

  readonly send = (action: Action): void => {
    const { state, orders } = update(this.#state, action);
    const isNew = state !== this.#state;
    this.#state = state;
    if (isNew) for (const listener of this.#listeners) listener();
    for (const order of orders) this.#onOrder(order);
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
