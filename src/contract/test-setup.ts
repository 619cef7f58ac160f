import { z } from "zod";
import { doc, milliseconds } from "./setting-meta.ts";

/**
 * In which form a test runner says what each test did. `junit`: XML as of Ant's JUnit task, which most runners can write. `tap`: the Test
 * Anything Protocol. `jest`: the JSON of Jest and Vitest. `go`: the JSON lines of `go test -json`. `rspec`: RSpec's JSON. `trx`: the
 * XML of .NET. `unittest`, `cargo`: what these two print, for they have nothing else.
 */
export const ReportFormat = z.enum(["junit", "tap", "jest", "go", "rspec", "trx", "unittest", "cargo"]);
export type ReportFormat = z.infer<typeof ReportFormat>;

const Command = z.string().min(1).max(2000);
/** A path or a pattern of paths inside the repository. */
const PathPattern = z
  .string()
  .min(1)
  .max(200)
  .regex(/^(?!\/)(?!(?:.*\/)?\.\.(?:\/|$)).+$/u, "use a path inside the repository");

/** How the tests of a project are run, so that each of them is known by its name. */
export const TestSetup = z.strictObject({
  all: Command.meta(doc("runs the whole suite by `sh -c`; `{report}` is the file that its report goes to")),
  selected: Command.nullable()
    .default(null)
    .meta(doc("runs the test files that stand in the place of `{files}`; null: the whole suite is run instead")),
  coverage: Command.nullable().default(null).meta(doc("runs the whole suite and measures coverage; null: there is no such command")),
  format: ReportFormat.meta(doc("the form of the report")),
  reports: z
    .array(PathPattern)
    .max(20)
    .default([])
    .meta(doc("where the runner writes its reports, such as `target/surefire-reports/*.xml`, if it can't be told `{report}`")),
  files: z
    .array(PathPattern)
    .min(1)
    .max(50)
    .meta(doc("what is a test or belongs to tests, such as `test/**`; all other files are the code that they test")),
  settings: z
    .array(PathPattern)
    .max(50)
    .default([])
    .meta(doc("files that say how tests are run, besides those of the known test runners; no stage with a gate may change them")),
  timeoutMs: milliseconds(1000).default(600_000).meta(doc("a run of the suite is ended after this time and has failed, milliseconds")),
  reruns: z.int().min(1).max(10).default(3).meta(doc("how often a test is run before it counts as failing, passing or flaky")),
});
export type TestSetup = z.infer<typeof TestSetup>;

/** What a project is made of, as detected or as its owner says. */
export const ProjectMakeup = z.strictObject({
  language: z
    .string()
    .min(1)
    .max(40)
    .nullable()
    .default(null)
    .meta(doc("the main programming language, such as `typescript`; null: unknown")),
  sourceRoot: PathPattern.nullable().default(null).meta(doc("the folder of the code; null: unknown")),
  testRoot: PathPattern.nullable().default(null).meta(doc("the folder of the tests; null: unknown")),
  tests: TestSetup.nullable()
    .default(null)
    .meta(
      doc("how the tests are run; a workflow with gates, such as `tdd`, needs it. `drover init` writes what it detects. null: unknown"),
    ),
});
