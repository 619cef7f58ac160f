import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { parseYamlValue } from "../config/yaml-text.ts";

const BLOCK = /^```ya?ml[ \t]*\r?\n(?<text>[\s\S]*?)^```[ \t]*$/gmu;

/**
 * What a report says in its last YAML block, by a schema. Throws `invalid`, in words for the one who wrote it, for a report
 * without one, or with one of another form.
 * @param what the block holds: `the list of tasks`.
 */
export function readLastBlock<Schema extends z.ZodType>(report: string, what: string, schema: Schema): z.infer<Schema> {
  const text = [...report.matchAll(BLOCK)].at(-1)?.groups?.["text"];
  if (text === undefined) throw new AppError("invalid", `The report ends without a block \`\`\`yaml with ${what}.`);
  const parsed = schema.safeParse(parseYamlValue(what, text));
  if (!parsed.success) throw new AppError("invalid", `In the report, ${what} is not as it must be:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
