import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";

/** Something wrong with one value, or with the text of a file. */
export interface Problem {
  /** `daemon.maxProcesses`; "" for the file as a whole. */
  readonly path: string;
  /** The file or the environment variable; null: a flag. */
  readonly place: string | null;
  /** From 1; null where there are no lines. */
  readonly line: number | null;
  readonly column: number | null;
  /** A sentence for people: what was found and what is allowed. */
  readonly message: string;
}

const SHOWN_MAX = 20;
const KEPT_MAX = 100;

/** All problems as one `invalid` failure, one line each: `config.yaml:4:3: ...`. `details.issues` has them as data. */
export function configError(problems: readonly Problem[]): AppError {
  const lines = problems.slice(0, SHOWN_MAX).map((problem) => `  ${problemLine(problem)}`);
  if (problems.length > SHOWN_MAX) lines.push(`  and ${problems.length - SHOWN_MAX} more`);
  const title = problems.length === 1 ? "The configuration is not valid:" : `The configuration has ${problems.length} problems:`;
  return new AppError("invalid", [title, ...lines].join("\n"), { issues: problems.slice(0, KEPT_MAX) });
}

/** `/home/me/.drover/config.yaml:4:3: daemon.port is "x"; ...` */
export function problemLine({ place, line, column, message }: Problem): string {
  const where = [place === null ? null : safeLine(place, 500), line, column].filter((part) => part !== null).join(":");
  return where === "" ? message : `${where}: ${message}`;
}

/** A value as people wrote it, in one short line that is safe for a terminal. */
export function shown(value: unknown): string {
  return safeLine(JSON.stringify(value) ?? "nothing", 60);
}
