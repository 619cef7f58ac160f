/**
 * Runs `./drover demo` and draws what it printed, line by line in the time it took, as docs/demo.svg for the README:
 * `node scripts/draw-demo.ts`.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

interface Line {
  readonly atMs: number;
  readonly text: string;
}

const COLUMNS = 118;
const ROWS = 46;
const LINE_HEIGHT = 17;
const CHARACTER_WIDTH = 7.83;
const PADDING = 16;

const lines = await runDemo();
writeFileSync("docs/demo.svg", draw([{ atMs: 0, text: "$ ./drover demo" }, ...lines].slice(0, ROWS)));

async function runDemo(): Promise<Line[]> {
  const startedAt = performance.now();
  const child = spawn("./drover", ["demo", "--agent", "scripted"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  const printed: Line[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const text = line.replace(/\/\S*\/drover-demo-\w+/u, "/tmp/drover-demo");
    printed.push(...wrap(text).map((part) => ({ atMs: performance.now() - startedAt, text: part })));
  }
  if ((await exited) !== 0) throw new Error("The demo failed.");
  return printed;
}

function wrap(text: string): string[] {
  if (text.length <= COLUMNS) return [text];
  const space = text.lastIndexOf(" ", COLUMNS);
  const cut = space > 0 ? space : COLUMNS;
  return [text.slice(0, cut), ...wrap(text.slice(cut).trimStart())];
}

function draw(shown: readonly Line[]): string {
  const width = Math.ceil(COLUMNS * CHARACTER_WIDTH + 2 * PADDING);
  const height = shown.length * LINE_HEIGHT + 2 * PADDING;
  const rows = shown.map(
    ({ atMs, text }, index) =>
      `<text x="${PADDING}" y="${PADDING + 13 + index * LINE_HEIGHT}" class="${colour(text)}" style="animation-delay:${(atMs / 1000).toFixed(2)}s">${escape(text)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" xml:space="preserve" viewBox="0 0 ${width} ${height}" role="img" aria-label="A run of ./drover demo">
<style>
  rect { fill: #12161c; rx: 8px }
  text { font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c9d1d9; animation: appear 1ms both }
  .command { fill: #ffffff; font-weight: bold } .rule { fill: #79c0ff } .good { fill: #7ee787 } .bad { fill: #ffa198 }
  @keyframes appear { from { opacity: 0 } to { opacity: 1 } }
  @media (prefers-reduced-motion: reduce) { text { animation: none } }
</style>
<rect width="${width}" height="${height}"/>
${rows.join("\n")}
</svg>
`;
}

function colour(text: string): string {
  if (text.startsWith("$")) return "command";
  if (text.startsWith("---") || text.startsWith("Drover demo")) return "rule";
  if (/passes$|verified: done|pull request opened/u.test(text)) return "good";
  return text.endsWith("fails") ? "bad" : "plain";
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
