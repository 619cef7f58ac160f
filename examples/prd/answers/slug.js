/** What stands for a text in an address. */
export const slug = (text) => (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
