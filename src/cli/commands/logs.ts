import { join } from "node:path";
import { AppError } from "../../base/errors.ts";
import type { Cli } from "../cli.ts";
import { dateTime } from "../../words/format.ts";
import { followLines, lastLines } from "../log-follow.ts";
import { painted, show, Shown, type Paint } from "../../words/shown.ts";

export interface LogsOptions {
  readonly follow?: boolean;
  readonly api?: boolean;
  readonly worker?: number;
  readonly lines: number;
}

/** The daemon's log, or another of the home's; it needs no daemon. */
export async function logs(cli: Cli, { follow = false, api = false, worker, lines }: LogsOptions): Promise<void> {
  if (api && worker !== undefined) throw new AppError("invalid", "--api and --worker are two logs: use one.");
  const name = api ? "api" : worker === undefined ? "daemon" : `worker-${worker}`;
  const file = join(cli.paths.logs, `${name}.log`);
  const last = await lastLines(file, lines);
  if (last.size === 0 && !follow) throw new AppError("not_found", `There is no ${file} yet.`);
  for (const line of last.lines) print(cli, line);
  if (!follow) return;
  for await (const line of followLines(file, last.size, cli.clock, cli.signal)) print(cli, line);
}

function print(cli: Cli, line: string): void {
  const entry = parse(line);
  if (cli.isJson) cli.terminal.printJson(entry ?? { msg: line }, "line");
  else cli.terminal.print(entry === undefined ? Shown.line(line) : describe(entry));
}

interface Entry {
  readonly time: number;
  readonly level: string;
  readonly msg: string;
}

/** Undefined for a line that is none of ours. */
function parse(line: string): Entry | undefined {
  try {
    const entry = JSON.parse(line) as Partial<Entry> | null;
    return typeof entry?.time === "number" && typeof entry.msg === "string" && typeof entry.level === "string"
      ? (entry as Entry)
      : undefined;
  } catch {
    return undefined;
  }
}

const paints: Readonly<Record<string, Paint>> = { debug: "dim", info: "green", warn: "yellow", error: "red" };

function describe({ time, level, msg, ...fields }: Entry): Shown {
  const told = Object.entries(fields).map(
    ([name, value]) => show` ${painted("dim", `${name}=`)}${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return show`${painted("dim", dateTime(time))} ${painted(paints[level] ?? "bold", level.padEnd(5))} ${msg}${Shown.join(told)}`;
}
