import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { passResults, type PassName, type PassResults } from "../contract/prd.ts";
import { readLastBlock } from "./last-block.ts";

/**
 * What a pass of a PRD's decomposition came to, from the last YAML block of a report. Throws `invalid`, in words for the one who
 * wrote it, for a report without one, or with one of another form.
 */
export function readPassResult<Name extends PassName>(pass: Name, report: string): PassResults[Name] {
  return readLastBlock(report, `the list of ${Object.keys(passResults[pass].shape).join(" and ")}`, passResults[pass]) as PassResults[Name];
}

/** The same from values that somebody gives. */
export function toPassResult<Name extends PassName>(pass: Name, values: unknown): PassResults[Name] {
  const parsed = passResults[pass].safeParse(values);
  if (parsed.success) return parsed.data as PassResults[Name];
  throw new AppError("invalid", `The list is not as it must be:\n${z.prettifyError(parsed.error)}`);
}
