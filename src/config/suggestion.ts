/** The known names nearest to one that is not known, the nearest first; none when nothing is near. */
export function nearest(name: string, known: readonly string[], max = 3): string[] {
  const tolerance = Math.max(2, Math.floor(lastOf(name).length / 3));
  return known
    .map((candidate) => ({ candidate, distance: distanceOf(name, candidate) }))
    .filter(({ distance }) => distance <= tolerance)
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, max)
    .map(({ candidate }) => candidate);
}

/** The same word in another section is near, however far the whole keys are apart: `maxProcesses` and `daemon.maxProcesses`. */
function distanceOf(name: string, candidate: string): number {
  return Math.min(editDistance(name, candidate), editDistance(lastOf(name), lastOf(candidate)) + 1);
}

function lastOf(key: string): string {
  return key.slice(key.lastIndexOf(".") + 1);
}

/** How many letters must be put in, left out or replaced to make one word of the other, whatever their case. */
function editDistance(from: string, to: string): number {
  const [a, b] = [from.toLowerCase().slice(0, 100), to.toLowerCase().slice(0, 100)];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
