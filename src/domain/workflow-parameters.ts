import { AppError } from "../base/errors.ts";
import type { Workflow } from "../contract/workflow.ts";

/** The values of a workflow's parameters for a task: what was given, else the defaults. Throws `invalid` for one that is missing, unknown or not allowed. */
export function parametersOf({ name, parameters }: Workflow, given: Readonly<Record<string, string>>): Record<string, string> {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(parameters, key));
  if (unknown !== undefined) {
    const known = Object.keys(parameters);
    const there = known.length === 0 ? "It has none." : `It has: ${known.join(", ")}.`;
    throw new AppError("invalid", `The workflow ${name} has no parameter ${JSON.stringify(unknown)}. ${there}`);
  }
  return Object.fromEntries(
    Object.entries(parameters).map(([key, { default: fallback, allowed, description }]) => {
      const value = given[key] ?? fallback;
      if (value === null)
        throw new AppError("invalid", `The workflow ${name} needs the parameter ${key}${description && `: ${description}`}.`);
      if (allowed !== null && !allowed.includes(value)) {
        throw new AppError(
          "invalid",
          `The parameter ${key} of the workflow ${name} is ${JSON.stringify(value)}; allowed: ${allowed.join(", ")}.`,
        );
      }
      return [key, value];
    }),
  );
}
