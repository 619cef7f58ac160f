import { pathToFileURL } from "node:url";
import { z } from "zod";
import { AppError, messageOf } from "../base/errors.ts";
import type { Tool } from "./tools/tool.ts";

/** What a module with tools exports by default. */
export type ToolFactory = (given: ToolGiven) => Tool | readonly Tool[];

/** What such a module needs of ours, so that it needs no copies. */
export interface ToolGiven {
  /** https://zod.dev, version 4: for `input`. */
  readonly z: typeof z;
  /** Thrown with the code `invalid`, its message is given to the model. */
  readonly AppError: typeof AppError;
}

/** The tools of a module from outside. Throws `invalid`, saying why, when it has none. */
export async function loadTools(path: string): Promise<readonly Tool[]> {
  const unfit = (why: string, cause?: unknown) =>
    new AppError("invalid", `The tools of ${path} can't be used: ${why}. See docs/guides/builtin-agent.md.`, { cause });
  try {
    const { default: factory } = (await import(pathToFileURL(path).href)) as { default?: unknown };
    if (typeof factory !== "function") throw unfit("its default export is not a function that makes tools");
    const made = [(factory as ToolFactory)({ z, AppError })].flat();
    if (!made.every(isTool)) throw unfit("its function returns something that is no tool");
    return made;
  } catch (thrown) {
    throw thrown instanceof AppError ? thrown : unfit(messageOf(thrown), thrown);
  }
}

const NAME = /^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/u;

function isTool(made: unknown): made is Tool {
  if (typeof made !== "object" || made === null) return false;
  const { name, description, input, run } = made as Partial<Tool>;
  return (
    typeof name === "string" &&
    NAME.test(name) &&
    typeof description === "string" &&
    input instanceof z.ZodType &&
    typeof run === "function"
  );
}
