import { realpath, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { isInside } from "../../isolation/sandbox-space.ts";

/**
 * The file that a PATH finds for a program, but for what is in the workspace, which the model writes. Undefined: there is
 * none.
 */
export async function programOutside(name: string, path: string, workspace: string): Promise<string | undefined> {
  const realWorkspace = await realpath(workspace);
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, name);
    const real = await realpath(file).catch(() => undefined);
    if (real !== undefined && !isInside(realWorkspace, real) && (await stat(real)).isFile()) return file;
  }
  return undefined;
}
