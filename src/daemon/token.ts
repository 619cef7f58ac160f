import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { AppError, messageOf } from "../base/errors.ts";

const AuthFile = z.object({ token: z.string().min(32) });

/** The API's token: read from `file`, or made there (0600) at the first start. Throws `invalid` when the file is damaged. */
export function readOrMakeToken(file: string): string {
  if (!existsSync(file)) {
    const token = randomBytes(32).toString("base64url");
    writeFileSync(file, `${JSON.stringify({ token })}\n`, { mode: 0o600, flag: "wx" });
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
