/** Carries out what it is given when all that it was given before has ended. */
export type InTurn = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * A model may call several tools at once. One after another, two edits of a file don't undo each other, and no more than
 * one command or search is there at a time.
 */
export function createInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    // How it ends is told to who asked for it; the next one only waits.
    last = mine.catch(() => {});
    return mine;
  };
}
