/** Where a person is in a list: at an entry by its id, so that it stays when others come and go. Null: at the first, whichever that is. */
export interface Place {
  readonly id: string | null;
  readonly index: number;
}

export const atTop: Place = { id: null, index: 0 };

export interface Listed {
  readonly id: string;
}

/** The index that a place has in a list as it is now; an entry that is gone leaves its neighbour. -1: the list is empty. */
export function indexOf(entries: readonly Listed[], { id, index }: Place): number {
  if (entries.length === 0) return -1;
  if (id === null) return 0;
  if (entries[index]?.id === id) return index;
  const found = entries.findIndex((entry) => entry.id === id);
  return found === -1 ? Math.min(index, entries.length - 1) : found;
}

/** The place `by` entries further, not beyond the ends. */
export function moved(entries: readonly Listed[], place: Place, by: number): Place {
  const index = Math.max(0, Math.min(entries.length - 1, indexOf(entries, place) + by));
  return index === 0 ? atTop : { id: entries[index]?.id ?? null, index };
}

/** The part of `count` entries that `height` lines show, with the one at `index` in the middle where that is possible. */
export function windowAround(count: number, index: number, height: number): { readonly from: number; readonly to: number } {
  const from = Math.max(0, Math.min(index - Math.floor(height / 2), count - height));
  return { from, to: Math.min(count, from + height) };
}
