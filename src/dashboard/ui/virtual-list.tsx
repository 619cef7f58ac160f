import { useEffect, useRef, useState, type ReactNode } from "react";

const BEYOND = 6;

/** A list of which only what is seen is there: thousands of rows of one height cost as much as some dozen. */
export function VirtualList<Row>({
  name,
  rows,
  rowHeight,
  keyOf,
  children,
}: {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly rowHeight: number;
  readonly keyOf: (row: Row) => string | number;
  readonly children: (row: Row, index: number) => ReactNode;
}) {
  const scrolled = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  useEffect(() => {
    const element = scrolled.current;
    if (element === null) return undefined;
    const look = () => setSeen({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  const first = Math.max(0, Math.min(Math.floor(seen.top / rowHeight) - BEYOND, rows.length - 1));
  const last = Math.min(rows.length, Math.ceil((seen.top + seen.height) / rowHeight) + BEYOND);
  return (
    <div ref={scrolled} className="min-h-0 flex-1 overflow-y-auto" tabIndex={-1}>
      <ul aria-label={name} className="relative" style={{ height: rows.length * rowHeight }}>
        {rows.slice(first, last).map((row, index) => (
          <li
            key={keyOf(row)}
            aria-setsize={rows.length}
            aria-posinset={first + index + 1}
            className="absolute inset-x-0"
            style={{ top: (first + index) * rowHeight, height: rowHeight }}
          >
            {children(row, first + index)}
          </li>
        ))}
      </ul>
    </div>
  );
}
