import { z } from "zod";
import { AppError } from "../../base/errors.ts";
import type { ToolWork } from "./audited-tool.ts";
import { readText } from "./workspace-files.ts";

const LINES_MAX = 2000;
const LINE_MAX = 2000;
const TEXT_MAX = 60_000;

const Input = z.object({
  path: z.string().describe("From the workspace, such as src/main.ts."),
  offset: z.int().min(1).default(1).describe("The first line, counted from 1."),
  limit: z.int().min(1).max(LINES_MAX).default(LINES_MAX).describe("How many lines at most."),
});

export const read: ToolWork<z.infer<typeof Input>> = {
  name: "read",
  description: `Reads lines of a text file of the workspace: ${LINES_MAX} from the start, or others by offset and limit.`,
  input: Input,
  subjectOf: ({ path }) => path,
  work: async ({ path, offset, limit }, { workspace }) => {
    const lines = linesOf(await readText(workspace, path));
    if (lines.length === 0) return "[The file is empty.]";
    if (offset > lines.length) throw new AppError("invalid", `${path} has only ${lines.length} lines.`);
    const shown = fitting(lines.slice(offset - 1, offset - 1 + limit).map(cut));
    const next = offset + shown.length;
    const isAll = offset === 1 && next > lines.length;
    const rest = next > lines.length ? "" : ` Go on with offset ${next}.`;
    return isAll ? shown.join("\n") : `${shown.join("\n")}\n[Lines ${offset} to ${next - 1} of ${lines.length}.${rest}]`;
  },
};

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function cut(line: string): string {
  return line.length <= LINE_MAX ? line : `${line.slice(0, LINE_MAX)} [${line.length - LINE_MAX} characters more in this line]`;
}

/** As many of the lines as may be shown at once; at least one. */
function fitting(lines: readonly string[]): readonly string[] {
  let length = 0;
  const tooFar = lines.findIndex((line, index) => (length += line.length + 1) > TEXT_MAX && index > 0);
  return tooFar === -1 ? lines : lines.slice(0, tooFar);
}
