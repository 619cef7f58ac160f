/** The only source of randomness: a number in [0, 1). Injected, so that the simulator can replay a seed. */
export type Random = () => number;

export const systemRandom: Random = () => Math.random();
