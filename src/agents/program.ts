import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/** The file that a command would run: `program` itself when it is a path, else the first one on `path`. */
export async function findProgram(program: string, path: string): Promise<string | undefined> {
  if (program.includes("/")) return (await isProgram(program)) ? program : undefined;
  for (const folder of path.split(delimiter)) {
    // An empty or relative entry would mean the current directory, which for an agent is somebody else's repository.
    if (isAbsolute(folder) && (await isProgram(join(folder, program)))) return join(folder, program);
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false; // missing, or not ours to run: either way not a program for us
  }
}
