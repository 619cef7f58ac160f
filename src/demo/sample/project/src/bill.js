/** What all items of a bill cost together. Prices are in euros. */
export function total(items) {
  return items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
}
