/** The straight line with the least squares of distances through some points, and how well it fits (R², 1: exactly). */
export function lineThrough(points: readonly (readonly [x: number, y: number])[]): { slope: number; start: number; fit: number } {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const slope = mean(points.map(([x, y]) => (x - meanX) * (y - meanY))) / mean(points.map(([x]) => (x - meanX) ** 2));
  const start = meanY - slope * meanX;
  const left = mean(points.map(([x, y]) => (y - start - slope * x) ** 2));
  return { slope, start, fit: 1 - left / mean(points.map(([, y]) => (y - meanY) ** 2)) };
}
