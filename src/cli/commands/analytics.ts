import type { Figure, FigureSubject } from "../../contract/figures.ts";
import { count, inOneUnit, money } from "../../words/format.ts";
import { show, type Shown } from "../../words/shown.ts";
import type { Cli } from "../cli.ts";

/** What runs of the last days came to, a row a name: those of all days together. */
export async function analytics(cli: Cli, options: { days: number; by: FigureSubject }): Promise<void> {
  const figures = await (await cli.connect()).getFigures({ query: options, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(figures);
  const names = [...Map.groupBy(figures.items, ({ name }) => name)].map(([name, days]) => ({ ...sumOf(days), name }));
  const rows = names.toSorted((a, b) => b.runs - a.runs).map(rowOf);
  await cli.terminal.printTable([options.by.toUpperCase(), "RUNS", "SUCCEEDED", "FAILED", "AVERAGE TIME", "TOKENS", "COST"], rows);
}

function sumOf(figures: readonly Figure[]): Omit<Figure, "day" | "name"> {
  const sum = (valueOf: (figure: Figure) => number) => figures.reduce((total, figure) => total + valueOf(figure), 0);
  return {
    runs: sum(({ runs }) => runs),
    succeeded: sum(({ succeeded }) => succeeded),
    failed: sum(({ failed }) => failed),
    cancelled: sum(({ cancelled }) => cancelled),
    durationMs: sum(({ durationMs }) => durationMs),
    inputTokens: sum(({ inputTokens }) => inputTokens),
    outputTokens: sum(({ outputTokens }) => outputTokens),
    costUsdMicros: sum(({ costUsdMicros }) => costUsdMicros),
  };
}

function rowOf(figure: Omit<Figure, "day">): Shown[] {
  const { name, runs, succeeded, failed, cancelled, durationMs, inputTokens, outputTokens, costUsdMicros } = figure;
  const ended = succeeded + failed + cancelled;
  const share = ended === 0 ? "-" : `${succeeded} (${Math.round((100 * succeeded) / ended)}%)`;
  const average = ended === 0 ? "-" : inOneUnit(durationMs / ended);
  return [
    show`${name}`,
    show`${runs}`,
    show`${share}`,
    show`${failed}`,
    show`${average}`,
    show`${count(inputTokens + outputTokens)}`,
    show`${money(costUsdMicros)}`,
  ];
}
