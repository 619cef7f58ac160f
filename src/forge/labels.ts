/** Whether one of an issue's labels is among the wanted ones. GitHub takes `claude` and `Claude` for the same label, so do we. */
export function hasLabel(labels: readonly string[], wanted: readonly string[]): boolean {
  const names = new Set(wanted.map((label) => label.toLowerCase()));
  return labels.some((label) => names.has(label.toLowerCase()));
}
