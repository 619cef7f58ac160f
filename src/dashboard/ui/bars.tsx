export interface Bar {
  readonly name: string;
  readonly parts: readonly { readonly value: number; readonly tone: "good" | "bad" | "busy" | "muted" }[];
}

const colors = { good: "fill-good", bad: "fill-bad", busy: "fill-busy", muted: "fill-muted" } as const;
const HEIGHT = 120;

/** Bars beside each other, each of parts on each other. Its numbers are a table for those who don't see it. */
export function Bars({
  title,
  bars,
  format,
}: {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly format: (value: number) => string;
}) {
  const totals = bars.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const most = Math.max(...totals, 1);
  const width = 600 / Math.max(1, bars.length);
  return (
    <figure className="min-w-0 rounded-lg border border-line bg-panel p-4">
      <figcaption className="mb-3 flex items-baseline gap-2">
        <span className="font-semibold">{title}</span>
        <span className="ml-auto text-xs text-muted">at most {format(Math.max(...totals, 0))} a day</span>
      </figcaption>
      <svg viewBox={`0 0 600 ${HEIGHT}`} className="h-32 w-full" preserveAspectRatio="none" aria-hidden="true">
        <line x1="0" x2="600" y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className="stroke-line" />
        {bars.map(({ name, parts }, index) => {
          let top = HEIGHT;
          return parts.map(({ value, tone }) => {
            const height = (value / most) * (HEIGHT - 8);
            top -= height;
            return height === 0 ? null : (
              <rect
                key={`${name} ${tone}`}
                x={index * width + width * 0.15}
                y={top}
                width={width * 0.7}
                height={height}
                className={colors[tone]}
              >
                <title>{`${name}: ${format(value)}`}</title>
              </rect>
            );
          });
        })}
      </svg>
      <div className="mt-1 flex justify-between text-xs text-muted" aria-hidden="true">
        <span>{bars[0]?.name}</span>
        <span>{bars.at(-1)?.name}</span>
      </div>
      <table className="sr-only">
        <caption>{title}</caption>
        <tbody>
          {bars.map(({ name }, index) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{format(totals[index] ?? 0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
