import { AppError } from "../base/errors.ts";
import type { TestResult } from "../contract/test-report.ts";
import { failed, type ReportReader, went } from "./results.ts";

const POINT = /^( *)(not ok|ok)\b *(?:\d+)?(?: - | )?(.*)$/u;
const DEPTH_MAX = 30;
const SAID_MAX = 8000;

interface Point {
  readonly depth: number;
  readonly ok: boolean;
  readonly title: string;
  readonly directive: string | undefined;
  /** The lines of its YAML block. */
  readonly facts: Readonly<Record<string, string>>;
  /** What was printed before it, as comments. */
  readonly printed: string;
}

/**
 * The Test Anything Protocol (14, as Node.js's runner and others write it): subtests are indented by four spaces and stand before the
 * point that they belong to. That point is no test itself. Node.js tells of a file that it can't run as a point with its path.
 */
export const readTap: ReportReader = (text) => {
  if (!/^\s*\d+\.\.\d+/mu.test(text)) throw new AppError("invalid", `A test report in TAP has no end: ${text.slice(-500)}`);
  const results: TestResult[] = [];
  // By depth: the results of subtests that wait for their parent's title.
  const waiting: TestResult[][] = [];
  for (const point of pointsOf(text)) {
    const below = waiting[point.depth + 1] ?? [];
    waiting.length = Math.min(waiting.length, point.depth + 1);
    const made = below.length > 0 ? withParent(point, below) : ownResults(point);
    if (point.depth === 0) results.push(...made);
    else (waiting[point.depth] ??= []).push(...made);
  }
  return results;
};

function withParent({ title, facts, ok }: Point, below: readonly TestResult[]): TestResult[] {
  const named = below.map((one) => ({ ...one, name: `${title} > ${one.name}` }));
  // A hook of a suite may fail while none of its tests does.
  const isOwn = !ok && below.every(({ status }) => status !== "failed");
  return isOwn ? [...named, failed(`${title} (suite)`, facts["error"] ?? "")] : named;
}

function ownResults({ ok, title, directive, facts, printed }: Point): TestResult[] {
  const isFile = /\.[cm]?[jt]sx?$/u.test(title) && title.includes(".");
  const file = /^(.*?):\d+:\d+$/u.exec(facts["location"] ?? "")?.[1] ?? null;
  if (directive !== undefined) return [went("skipped", title, file)];
  if (ok) return isFile || facts["type"] === "suite" ? [] : [went("passed", title, file)];
  if (isFile) return [failed(title, `${printed}${facts["error"] ?? ""}`, { file: title, isWhole: true })];
  const said = [facts["name"], facts["code"]].filter((word) => word !== undefined && word !== "ERR_TEST_FAILURE").join(" ");
  const message = [facts["name"], facts["error"]].filter(Boolean).join(": ");
  return [failed(title, facts["stack"] ? `${message}\n${facts["stack"]}` : message, { file, said })];
}

function* pointsOf(text: string): Generator<Point> {
  const rows = text.split("\n");
  let printed = "";
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index] ?? "";
    const comment = /^# (?!Subtest: )(.*)$/u.exec(row)?.[1];
    if (comment !== undefined) printed = `${printed}${unescape(comment)}\n`.slice(-SAID_MAX);
    const [, indent = "", verdict, rest = ""] = POINT.exec(row) ?? [];
    if (verdict === undefined || indent.length % 4 !== 0 || indent.length / 4 > DEPTH_MAX) continue;
    const [title = "", directive] = rest.split(/(?<!\\)\s#\s*(?=(?:SKIP|TODO)\b)/iu, 2);
    const block = yamlBlock(rows, index + 1, `${indent}  `);
    yield { depth: indent.length / 4, ok: verdict === "ok", title: unescape(title.trim()), directive, facts: block, printed };
    if (indent === "") printed = "";
  }
}

function unescape(text: string): string {
  return text.replaceAll(/\\([#\\])/gu, "$1");
}

/** The scalars of the block behind a point: plain or quoted on one line, or literal over several. */
function yamlBlock(rows: readonly string[], from: number, indent: string): Record<string, string> {
  const facts: Record<string, string> = {};
  if (rows[from] !== `${indent}---`) return facts;
  let literal: string | undefined;
  for (let index = from + 1; index < rows.length && rows[index] !== `${indent}...`; index++) {
    const row = (rows[index] ?? "").slice(indent.length);
    const [, key, value = ""] = /^(\w+): ?(.*)$/u.exec(row) ?? [];
    if (key !== undefined) {
      literal = /^[|>][+-]?$/u.test(value) ? key : undefined;
      facts[key] = literal === undefined ? unquoted(value) : "";
    } else if (literal !== undefined) {
      facts[literal] = `${facts[literal]}${facts[literal] === "" ? "" : "\n"}${row.replace(/^ {2}/u, "")}`.slice(0, SAID_MAX);
    }
  }
  return facts;
}

function unquoted(value: string): string {
  const single = /^'(.*)'$/u.exec(value)?.[1];
  if (single !== undefined) return single.replaceAll("''", "'");
  const double = /^"(.*)"$/u.exec(value)?.[1];
  return double === undefined ? value : double.replaceAll(/\\(["\\])/gu, "$1");
}
