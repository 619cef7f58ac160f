import { AppError } from "../base/errors.ts";
import { problemLine, type Problem } from "../config/problem.ts";

const SHOWN_MAX = 20;
const KEPT_MAX = 100;

/** All that is wrong with a PRD as one `invalid` failure, a line each: `feature.md:4: ...`. `details.issues` has them as data. */
export function prdError(problems: readonly Problem[]): AppError {
  const lines = problems.slice(0, SHOWN_MAX).map((problem) => `  ${problemLine(problem)}`);
  if (problems.length > SHOWN_MAX) lines.push(`  and ${problems.length - SHOWN_MAX} more`);
  const title = problems.length === 1 ? "The PRD is not valid:" : `The PRD has ${problems.length} problems:`;
  return new AppError("invalid", [title, ...lines].join("\n"), { issues: problems.slice(0, KEPT_MAX) });
}
