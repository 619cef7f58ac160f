import { readFileSync } from "node:fs";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { HomePaths } from "../base/paths.ts";

/** What the running daemon wrote about itself; it may have ended since without taking it back. */
const DaemonFile = z.object({ pid: z.int().positive(), startTime: z.string(), url: z.url(), version: z.string() });
export type DaemonFile = z.infer<typeof DaemonFile>;

const AuthFile = z.object({ token: z.string().min(1) });

/** Undefined: no daemon says that it runs. */
export function readDaemonFile(paths: HomePaths): DaemonFile | undefined {
  return DaemonFile.safeParse(readJson(paths.pid)).data;
}

/** Throws `unavailable` when there is none to be read. */
export function readToken(paths: HomePaths): string {
  const token = AuthFile.safeParse(readJson(paths.auth)).data?.token;
  if (token === undefined)
    throw new AppError("unavailable", `${paths.auth} holds no token that this user can read. Restart the daemon as this user.`);
  return token;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Missing, not ours to read, or being written: all the same to who asks what it says.
    return undefined;
  }
}
