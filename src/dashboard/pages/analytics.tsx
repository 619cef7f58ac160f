import { FigureSubject, type Figure } from "../../contract/figures.ts";
import { count, inOneUnit, money } from "../../words/format.ts";
import { useNow, useQuery } from "../live/use-live.ts";
import { setParameter, useParameter } from "../router.tsx";
import { Bars } from "../ui/bars.tsx";
import { Select } from "../ui/field.tsx";
import { Loaded, Page } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { byDay, meanDurationMs, successPercent, sumOf, type Sums } from "./figure-sums.ts";

const periods = [7, 30, 90] as const;

/** What runs came to: how many, how well, how long, and for how much. */
export function AnalyticsPage() {
  const [wantedDays, wantedBy] = [useParameter("days"), useParameter("by")];
  const days = periods.find((period) => String(period) === wantedDays) ?? 30;
  const by = FigureSubject.options.find((subject) => subject === wantedBy) ?? "project";
  const figures = useQuery(
    `figures ${days} ${by}`,
    (client, signal) => client.getFigures({ query: { days, by }, signal }),
    ({ type }) => type === "run.ended" || type === "run.started",
  );
  return (
    <Page
      title="Analytics"
      actions={
        <div className="flex gap-2">
          <Select label="Period" isQuiet value={days} onChange={(event) => setParameter("days", event.target.value)}>
            {periods.map((period) => (
              <option key={period} value={period}>
                {period} days
              </option>
            ))}
          </Select>
          <Select label="By" isQuiet value={by} onChange={(event) => setParameter("by", event.target.value)}>
            {FigureSubject.options.map((subject) => (
              <option key={subject} value={subject}>
                by {subject}
              </option>
            ))}
          </Select>
        </div>
      }
    >
      <Loaded answer={figures}>{({ items }) => <Figures figures={items} days={days} by={by} />}</Loaded>
    </Page>
  );
}

function Figures({ figures, days, by }: { readonly figures: readonly Figure[]; readonly days: number; readonly by: FigureSubject }) {
  const now = useNow(60_000);
  const all = sumOf(figures);
  const daily = byDay(figures, days, now);
  const names = [...Map.groupBy(figures, ({ name }) => name)].map(([name, own]) => ({ name, ...sumOf(own) }));
  const short = (day: string) => day.slice(5);
  return (
    <>
      <Totals all={all} />
      <div className="grid gap-3 lg:grid-cols-2">
        <Bars
          title="Runs, by how they ended"
          format={count}
          bars={daily.map(({ day, sums }) => ({
            name: short(day),
            parts: [
              { value: sums.succeeded, tone: "good" },
              { value: sums.failed, tone: "bad" },
              { value: sums.runs - sums.succeeded - sums.failed, tone: "muted" },
            ],
          }))}
        />
        <Bars
          title="Cost"
          format={money}
          bars={daily.map(({ day, sums }) => ({ name: short(day), parts: [{ value: sums.costUsdMicros, tone: "busy" }] }))}
        />
        <Bars
          title="Tokens"
          format={count}
          bars={daily.map(({ day, sums }) => ({
            name: short(day),
            parts: [{ value: sums.inputTokens + sums.outputTokens, tone: "busy" }],
          }))}
        />
        <Bars
          title="Time of a run"
          format={inOneUnit}
          bars={daily.map(({ day, sums }) => ({ name: short(day), parts: [{ value: meanDurationMs(sums) ?? 0, tone: "busy" }] }))}
        />
      </div>
      <Table
        name={`Figures by ${by}`}
        rows={names.toSorted((one, other) => other.runs - one.runs)}
        keyOf={({ name }) => name}
        columns={[
          { name: by, cell: ({ name }) => <span className="font-medium">{name}</span> },
          { name: "Runs", isNumber: true, cell: ({ runs }) => count(runs) },
          { name: "Succeeded", isNumber: true, cell: (sums) => percent(successPercent(sums)) },
          { name: "Failed", isNumber: true, cell: ({ failed }) => count(failed) },
          { name: "Time a run", isNumber: true, cell: (sums) => duration(meanDurationMs(sums)) },
          { name: "Tokens in", isNumber: true, cell: ({ inputTokens }) => count(inputTokens) },
          { name: "Tokens out", isNumber: true, cell: ({ outputTokens }) => count(outputTokens) },
          { name: "Cost", isNumber: true, cell: ({ costUsdMicros }) => money(costUsdMicros) },
        ]}
      />
    </>
  );
}

function Totals({ all }: { readonly all: Sums }) {
  return (
    <dl className="grid grid-cols-2 gap-3 lg:grid-cols-5">
      {[
        ["Runs", count(all.runs)],
        ["Succeeded", percent(successPercent(all))],
        ["Time a run", duration(meanDurationMs(all))],
        ["Tokens", count(all.inputTokens + all.outputTokens)],
        ["Cost", money(all.costUsdMicros)],
      ].map(([name, value]) => (
        <div key={name} className="rounded-lg border border-line bg-panel p-4">
          <dt className="text-xs text-muted">{name}</dt>
          <dd className="text-xl font-semibold tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function percent(value: number | null): string {
  return value === null ? "-" : `${value} %`;
}

function duration(ms: number | null): string {
  return ms === null ? "-" : inOneUnit(ms);
}
