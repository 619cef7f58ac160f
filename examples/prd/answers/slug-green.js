/** What stands for a text in an address. */
export function slug(text) {
  const parts = text.toLowerCase().split(/[^a-z0-9]/);
  const words = [];
  for (const part of parts) {
    if (part !== "") words.push(part);
  }
  return words.join("-");
}
