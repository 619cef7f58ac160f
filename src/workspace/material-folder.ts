import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where files lie in a workspace that are there for its agent to read. */
export const MATERIAL = ".drover-material";

/**
 * Puts files into a workspace, in place of those that were put there before. Git takes none of them for work. Whatever the
 * repository holds of that name is out of the way first, so that no link of its leads elsewhere; no agent may be at work.
 * @param files contents by plain names.
 */
export async function writeMaterial(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(directory, MATERIAL);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o755 });
  for (const [name, text] of Object.entries({ ".gitignore": "*\n", ...files }))
    await writeFile(join(folder, name), text, { mode: 0o444, flag: "wx" });
}
