/** What all items of a bill cost together. Prices are in euros. */
export function total(items) {
  // In whole cents: euros as binary fractions do not add up exactly.
  const cents = items.reduce((sum, { price, quantity }) => sum + Math.round(price * 100) * quantity, 0);
  return cents / 100;
}
