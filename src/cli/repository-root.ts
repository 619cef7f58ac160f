import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "../base/errors.ts";

/** The top folder of the git repository that a folder lies in. Throws `invalid` when it lies in none. */
export function repositoryRoot(folder: string): string {
  const start = realpathSync(folder);
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return at;
    if (at === dirname(at)) throw new AppError("invalid", `${start} is in no git repository. Make it one with: git init`);
  }
}
