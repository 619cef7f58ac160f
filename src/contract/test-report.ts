import { z } from "zod";

/**
 * Why a test failed. assertion: something it asserted is not so. import: something it uses is not there, which `missing` names.
 * syntax: its file can't be read as code. error: anything else.
 */
export const TestFailureKind = z.enum(["assertion", "error", "import", "syntax"]);
export type TestFailureKind = z.infer<typeof TestFailureKind>;

/** What one test did, in whatever language. */
export const TestResult = z.object({
  /** Names it in its project: the same at each commit that has it. */
  name: z.string(),
  /** Where it is, seen from the top of the repository, if the report says so. */
  file: z.string().nullable(),
  status: z.enum(["passed", "failed", "skipped"]),
  /** Null: it did not fail. */
  kind: TestFailureKind.nullable(),
  message: z.string(),
  /** The module or the name that is not there. */
  missing: z.string().nullable(),
  /** Not one test but a file, a module or a package of them that could not be run, so that its tests are not known. */
  isWhole: z.boolean(),
});
export type TestResult = z.infer<typeof TestResult>;
