/** A text in lower case, by the rules of no particular language. */
export const lower = (text) => text.toLowerCase();
