/** What so many pieces cost, cents. Throws a RangeError for less than none. */
export function price(cents, pieces) {
  if (pieces < 0) throw new RangeError(`There are no ${pieces} pieces.`);
  return cents * pieces;
}
