/**
 * The first of `count` things, counted from 1, with which it is broken, when it is broken with all of them and was not with none.
 * Asks as seldom as can be. `isBroken` is asked of the first so many together.
 */
export async function firstBroken(count: number, isBroken: (first: number) => Promise<boolean>): Promise<number> {
  let [whole, broken] = [0, count];
  while (broken - whole > 1) {
    const middle = Math.floor((whole + broken) / 2);
    if (await isBroken(middle)) broken = middle;
    else whole = middle;
  }
  return broken;
}
