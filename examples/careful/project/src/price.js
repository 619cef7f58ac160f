/** What so many pieces cost, cents. */
export const price = (cents, pieces) => cents * pieces;
