import { lower } from "./lower.js";

/** The words of a text, in their order. */
export const words = (text) => lower(text).match(/\p{L}+/gu) ?? [];
