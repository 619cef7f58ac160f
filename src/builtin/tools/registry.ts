import type { Clock } from "../../base/clock.ts";
import { AppError } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";
import { auditedTool } from "./audited-tool.ts";
import { edit } from "./edit.ts";
import { createInTurn } from "./in-turn.ts";
import { list } from "./list.ts";
import { read } from "./read.ts";
import { createRun } from "./run.ts";
import { createSearch } from "./search.ts";
import { type Tool, ToolName } from "./tool.ts";
import { write } from "./write.ts";

/**
 * The tools of these names, null: all of them. Each use of one is audited, and they are carried out one after another.
 * Throws `invalid` for a name that none has.
 */
export function createTools(names: readonly string[] | null, clock: Clock): Tool[] {
  const inTurn = createInTurn();
  const tools: Record<ToolName, Tool> = {
    read: auditedTool(read, inTurn),
    write: auditedTool(write, inTurn),
    edit: auditedTool(edit, inTurn),
    list: auditedTool(list, inTurn),
    search: auditedTool(createSearch(clock), inTurn),
    run: auditedTool(createRun(clock), inTurn),
  };
  return [...new Set(names ?? ToolName.options)].map((name) => {
    const known = ToolName.safeParse(name);
    if (known.success) return tools[known.data];
    throw new AppError("invalid", `There is no tool ${safeLine(name)}. There are ${ToolName.options.join(", ")}.`);
  });
}
