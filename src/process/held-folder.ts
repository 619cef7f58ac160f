import { open, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { ProcessIdentity } from "../contract/run.ts";
import type { HeldState } from "./host.ts";
import { hasCode } from "./system-error.ts";

/** The files of a held command's folder. `command` lives only from the request to the start: it holds the environment. */
export const heldFiles = (directory: string) => ({
  command: join(directory, "command"),
  /** What stdin begins with, until all of that is handed over. */
  input: join(directory, "input"),
  in: join(directory, "in"),
  out: join(directory, "out"),
  err: join(directory, "err"),
  identity: join(directory, "identity"),
  exit: join(directory, "exit"),
  /** The folders of its control group, a line each, which it joins before anything else; missing where none can be had. */
  groups: join(directory, "groups"),
  /** How much of the head of `out` was given back to the disk; bytes in digits. */
  freed: join(directory, "out.freed"),
});

const HeldIdentity = z.object({
  ...ProcessIdentity.shape,
  holder: ProcessIdentity.omit({ bootId: true }),
  host: z.object({ directory: z.string(), marker: z.string() }).optional(),
});
/**
 * Who a folder belongs to: the command's process, and the holder that waits for it and will write `exit`. Of what an agent host
 * carries out both are that host, and `host` is the host's own folder and the command's marker: the process is not the command's
 * alone, outlives it, and is not to be ended with it.
 */
export type HeldIdentity = z.infer<typeof HeldIdentity>;

type Exit = Omit<Extract<HeldState, { state: "exited" }>, "state">;

/** Throws when it is none. */
export function parseIdentity(text: string): HeldIdentity {
  return HeldIdentity.parse(JSON.parse(text));
}

/**
 * Undefined: no holder has claimed the folder. refused: none ever will, `refuseStart` came first. damaged: one did, but a
 * crash of the machine ate what it wrote; nothing else can, since a whole file appears at once.
 */
export async function readIdentity(directory: string): Promise<HeldIdentity | "refused" | "damaged" | undefined> {
  const text = await readIfThere(heldFiles(directory).identity);
  if (text === undefined) return undefined;
  if (text === "") return "refused";
  try {
    return parseIdentity(text);
  } catch {
    return "damaged"; // safe: who asks learns of it
  }
}

/**
 * Makes it impossible that a holder that was asked for, and has not begun yet, begins its command. Does nothing when one
 * has. Both sides create `identity`, which only the first can; a holder's is never empty.
 */
export async function refuseStart(directory: string): Promise<void> {
  try {
    await writeFile(heldFiles(directory).identity, "", { flag: "wx", mode: 0o600 });
  } catch (failure) {
    // EEXIST: it began, or was refused before. ENOENT: without its folder no holder begins anything.
    if (!hasCode(failure, "EEXIST", "ENOENT")) throw failure;
  }
}

/** The command's script is read by then; what stays would be its environment. */
export async function forgetScript(directory: string): Promise<void> {
  await rm(heldFiles(directory).command, { force: true });
}

/** How the command ended; undefined: its holder has not said so. */
export async function readExit(directory: string): Promise<Exit | undefined> {
  const text = await readIfThere(heldFiles(directory).exit);
  if (text === undefined) return undefined;
  const [status, wasOutOfMemory] = text.trim().split(" ");
  return { ...exitOf(Number(status)), ...(wasOutOfMemory === undefined ? {} : { outOfMemory: true }) };
}

/** The folders of the control group that the command joined. */
export async function readGroups(directory: string): Promise<string[]> {
  return ((await readIfThere(heldFiles(directory).groups)) ?? "").split("\n").filter((line) => line !== "");
}

/** The last `maxBytes` of a file, cut between characters; empty when there is none. */
export async function readTail(path: string, maxBytes: number): Promise<string> {
  let file;
  try {
    file = await open(path);
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return "";
    throw failure;
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - maxBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    // Bytes 10xxxxxx go on with a character, and those at the cut with one that began before it.
    const cut = start === 0 ? 0 : buffer.findIndex((byte) => (byte & 0xc0) !== 0x80);
    return buffer.toString("utf8", Math.max(0, cut), bytesRead);
  } finally {
    await file.close();
  }
}

/** The text of a file; undefined: there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return undefined;
    throw failure;
  }
}

// The signals that end a process and are sent in practice: HUP to TERM, XCPU, XFSZ, SYS. Not CHLD (145) and the like:
// Gemini CLI exits with the HTTP status modulo 256, 401 is 145.
const ENDING_SIGNALS = new Set([...Array.from({ length: 15 }, (_, index) => index + 1), 24, 25, 31]);

/** sh reports death by a signal as 128 + its number. A command that itself exits with such a code says the same, as 143 after SIGTERM. */
function exitOf(status: number): Exit {
  const signal = status - 128;
  return ENDING_SIGNALS.has(signal) ? { exitCode: null, signal } : { exitCode: status, signal: null };
}
