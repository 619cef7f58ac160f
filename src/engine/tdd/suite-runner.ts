import { randomBytes } from "node:crypto";
import { AppError } from "../../base/errors.ts";
import type { TestSetup } from "../../contract/test-setup.ts";
import type { SuiteRun } from "../../domain/suite.ts";
import { readReports } from "../../reports/report.ts";
import { readReportFiles, removeReports } from "../../workspace/report-files.ts";
import type { CheckedWork, Tree, Verifier } from "../verification.ts";

/** More files than these, and the whole suite is run. */
const FILES_MAX = 50;

/**
 * Runs the tests of a tree, in the isolation of the work, and reads what they report. Without `files`, or where the project has no
 * command for some files, the whole suite. Whatever goes wrong with the report is told in the result: it counts as a failure.
 */
export async function runSuite(
  { runIn }: Pick<Verifier, "runIn">,
  work: CheckedWork,
  setup: TestSetup,
  tree: Tree,
  files: readonly string[] | null,
  signal: AbortSignal,
): Promise<SuiteRun> {
  // A name that nobody can know: tests that are still running from before, or that mean ill, write to no later report.
  const report = `.drover-report-${randomBytes(8).toString("hex")}`;
  const paths = [report, ...setup.reports];
  await removeReports(tree.directory, paths);
  const command = { name: "tests", command: commandOf(setup, report, files), timeoutMs: setup.timeoutMs };
  const { exitCode, outputTail: printed } = await runIn(work, command, tree, signal);
  try {
    const texts = await readReportFiles(tree.directory, paths);
    return { exitCode, printed, problem: null, results: readReports(setup.format, texts, tree.directory) };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return { exitCode, printed, problem: `${thrown.message} ${printed.slice(-500)}`.trim(), results: [] };
  } finally {
    await removeReports(tree.directory, paths);
  }
}

/** The report's path is made by the shell that runs the tests: an isolation may have the tree at another place than we. */
function commandOf({ all, selected }: TestSetup, report: string, files: readonly string[] | null): string {
  const isSelected = selected !== null && files !== null && files.length > 0 && files.length <= FILES_MAX;
  const command = isSelected ? selected.replaceAll("{files}", () => files.map(quoted).join(" ")) : all;
  const named = command.replaceAll("{report}", () => '"$DROVER_REPORT"');
  return `CI=true DROVER_REPORT="$PWD/${report}"\nexport CI DROVER_REPORT\n${named}`;
}

/** As one word of a shell, whatever is in it; never an option. */
function quoted(path: string): string {
  const plain = path.startsWith("-") ? `./${path}` : path;
  return `'${plain.replaceAll("'", `'\\''`)}'`;
}
