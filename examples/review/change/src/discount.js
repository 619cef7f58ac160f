import { price } from "./price.js";

/** The same with so many percent off, cents. */
export const discounted = (cents, pieces, percent) => price(cents, pieces) * (1 - percent / 100);
