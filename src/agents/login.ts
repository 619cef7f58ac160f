import { readFile } from "node:fs/promises";
import type { z } from "zod";

/** What an agent's file with a person's login holds; undefined: it is no login that we can tell. */
export async function readLogin<Login>(path: string, schema: z.ZodType<Login>): Promise<Login | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined; // missing, unreadable or of another shape: not a login that we can tell
  }
}
