import { words } from "./words.js";

/** How often each word of a text comes up. */
export function count(text) {
  const counts = {};
  for (const word of words(text)) counts[word] = (Object.hasOwn(counts, word) ? counts[word] : 0) + 1;
  return counts;
}
