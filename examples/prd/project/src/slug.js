/** What stands for a text in an address. */
export const slug = (text) => text.toLowerCase().replaceAll(" ", "-");
