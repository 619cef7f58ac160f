const LINES_MAX = 50_000;
const COMPARED_MAX = 300;
const SHOWN_MAX = 300;
const AROUND = 2;
/** Less than that in common is chance. */
const ALIKE = 0.5;

/**
 * The line of a text that is most like the longest line of what was looked for, with those around it and their numbers.
 * Undefined: nothing is much alike.
 */
export function nearestLines(text: string, wanted: string): string | undefined {
  const lines = text.split("\n").slice(0, LINES_MAX);
  const longest = wanted
    .split("\n")
    .map((line) => line.trim())
    .reduce((one, other) => (other.length > one.length ? other : one));
  const pairs = pairsOf(longest);
  let [best, bestAt] = [0, -1];
  for (const [at, line] of lines.entries()) {
    const alike = likeness(pairs, pairsOf(line.trim()));
    if (alike > best) [best, bestAt] = [alike, at];
  }
  if (best < ALIKE) return undefined;
  const from = Math.max(0, bestAt - AROUND);
  return lines
    .slice(from, bestAt + AROUND + 1)
    .map((line, index) => `${from + index + 1}: ${line.slice(0, SHOWN_MAX)}`)
    .join("\n");
}

/** The neighbouring characters of a line, two by two. */
function pairsOf(line: string): Set<string> {
  const compared = line.slice(0, COMPARED_MAX);
  return new Set(Array.from({ length: Math.max(0, compared.length - 1) }, (_, at) => compared.slice(at, at + 2)));
}

/** From 0, nothing in common, to 1 (the coefficient of Sørensen and Dice). */
function likeness(one: Set<string>, other: Set<string>): number {
  const size = one.size + other.size;
  const common = [...one].filter((pair) => other.has(pair)).length;
  return size === 0 ? 0 : (2 * common) / size;
}
