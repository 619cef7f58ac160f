import { AppError } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import type { TestResult } from "../contract/test-report.ts";
import type { ReportFormat } from "../contract/test-setup.ts";
import { readCargo } from "./cargo.ts";
import { readGo } from "./go.ts";
import { readJest } from "./jest.ts";
import { readJunit } from "./junit.ts";
import type { ReportReader } from "./results.ts";
import { readRspec } from "./rspec.ts";
import { readTap } from "./tap.ts";
import { readTrx } from "./trx.ts";
import { readUnittest } from "./unittest.ts";

const readers: Readonly<Record<ReportFormat, ReportReader>> = {
  junit: readJunit,
  tap: readTap,
  jest: readJest,
  go: readGo,
  rspec: readRspec,
  trx: readTrx,
  unittest: readUnittest,
  cargo: readCargo,
};

const TESTS_MAX = 50_000;
const NAME_MAX = 500;
const MESSAGE_MAX = 2000;

/**
 * What the reports of one run of a suite say, each test under a name of its own: a second one of the same name in the order of
 * the reports is `name (2)`. Paths under `directory`, where the suite ran, are seen from there. Throws `invalid` when a report
 * can't be read or is beyond all measure.
 */
export function readReports(format: ReportFormat, texts: readonly string[], directory: string): TestResult[] {
  const results = texts.flatMap((text) => readers[format](text));
  if (results.length > TESTS_MAX)
    throw new AppError("invalid", `The test report tells of ${results.length} tests; at most ${TESTS_MAX} are read.`);
  const counts = new Map<string, number>();
  return results.map((result) => {
    const name = tidy(result.name, directory).slice(0, NAME_MAX);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return {
      ...result,
      name: count === 1 ? name : `${name} (${count})`,
      file: result.file === null ? null : tidy(result.file, directory),
      message: tidy(result.message, directory).slice(0, MESSAGE_MAX),
      missing: result.missing === null ? null : tidy(result.missing, directory).slice(0, NAME_MAX),
    };
  });
}

function tidy(text: string, directory: string): string {
  return safeText(text.replaceAll(`${directory}/`, "").replaceAll(directory, "."));
}
