import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { AppError, messageOf } from "../base/errors.ts";

const AuthFile = z.object({ token: z.string().min(32) });

/** The API's token: read from `file`, or made there (0600) at the first start. Throws `invalid` when the file is damaged. */
export function readOrMakeToken(file: string): string {
  if (!existsSync(file)) {
    const token = randomBytes(32).toString("base64url");
    // Never seen half written: a daemon that died here would leave a file that stops every later one.
    writeFileSync(`${file}.new`, `${JSON.stringify({ token })}\n`, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
    return token;
  }
  try {
    return AuthFile.parse(JSON.parse(readFileSync(file, "utf8"))).token;
  } catch (cause) {
    throw new AppError(
      "invalid",
      `${file} does not hold a token (${messageOf(cause)}). Remove it to have a new one made at the next start.`,
      { cause },
    );
  }
}
