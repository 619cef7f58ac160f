import { z } from "zod";

const AnyLine = z.object({ type: z.string() });

/** A parsed line. `unknown`: of a type that we do not use. `broken`: not what this type of line should be. */
export type ParsedLine<Line> = Line | "unknown" | "broken";

/** Reads lines of JSON objects that a `type` tells apart; `types` are those of `schema`. */
export function lineParser<Line>(schema: z.ZodType<Line>, types: readonly string[]): (text: string) => ParsedLine<Line> {
  const known: ReadonlySet<string> = new Set(types);
  return (text) => {
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      return "broken"; // cut off, or printed by something else: the caller counts it
    }
    const typed = AnyLine.safeParse(json);
    if (!typed.success) return "broken";
    if (!known.has(typed.data.type)) return "unknown";
    return schema.safeParse(json).data ?? "broken";
  };
}
