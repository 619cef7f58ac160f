/**
 * The one way of the tools to files, which cannot leave the workspace: each name on the way is opened in the folder before
 * it, and no link is followed, so a rename in between changes nothing. What a hard link leads to is read, as it is the
 * workspace's by then, and never written: a write puts a new file in its place (on Linux).
 */
import { realpath } from "node:fs/promises";
import { AppError } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";
import { OpenFolder } from "./open-folder.ts";
import { parseWorkspacePath } from "./workspace-path.ts";

/** Of a file that is read or written, which is done as a whole. */
export const FILE_MAX_BYTES = 8 * 1024 * 1024;

/** Opens a folder of the workspace; the empty path and `.` are the workspace itself. */
export async function openFolder(workspace: string, path: string): Promise<OpenFolder> {
  return descend(workspace, parseWorkspacePath(path), (folder, name) => folder.openFolder(name));
}

/** What a plain file in an open folder holds. Throws `invalid` when it is larger than FILE_MAX_BYTES. `path` is for messages. */
export async function readIn(folder: OpenFolder, name: string, path: string): Promise<Buffer> {
  await using file = await folder.openFile(name);
  const { size } = await file.stat();
  if (size > FILE_MAX_BYTES)
    throw new AppError("invalid", `${safeLine(path)} has ${size} bytes, and no more than ${FILE_MAX_BYTES} are read at once.`);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size), position: 0 });
  return buffer.subarray(0, bytesRead);
}

/** The text of a file. Throws `invalid` when it is binary, as one that is no UTF-8 is too. */
export async function readText(workspace: string, path: string): Promise<string> {
  const { folders, name } = split(path);
  await using folder = await descend(workspace, folders, (folder, name) => folder.openFolder(name));
  const bytes = await readIn(folder, name, path);
  const text = textOf(bytes);
  if (text === undefined) throw new AppError("invalid", `${safeLine(path)} is a binary file of ${bytes.length} bytes, not UTF-8 text.`);
  return text;
}

/** Undefined: it is no text. A byte order mark stays, so that the text written back has it too. */
export function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // it is no UTF-8, which is the answer
  }
}

/** Writes a whole file and makes the folders on the way. Throws `invalid` when it would be larger than FILE_MAX_BYTES. */
export async function writeText(workspace: string, path: string, text: string): Promise<void> {
  if (text.length > FILE_MAX_BYTES) throw new AppError("invalid", `${safeLine(path)} would be larger than ${FILE_MAX_BYTES} bytes.`);
  const { folders, name } = split(path);
  await using folder = await descend(workspace, folders, openOrMake);
  await folder.writeFile(name, Buffer.from(text));
}

/** To the folder at the end, with no more than two open at a time. */
async function descend(
  workspace: string,
  names: readonly string[],
  step: (folder: OpenFolder, name: string) => Promise<OpenFolder>,
): Promise<OpenFolder> {
  let folder = await OpenFolder.open(await realpath(workspace));
  for (const name of names) {
    await using before = folder;
    folder = await step(before, name);
  }
  return folder;
}

async function openOrMake(folder: OpenFolder, name: string): Promise<OpenFolder> {
  if ((await folder.kindOf(name)) === undefined) await folder.makeFolder(name);
  return folder.openFolder(name);
}

function split(path: string): { folders: readonly string[]; name: string } {
  const names = parseWorkspacePath(path);
  const name = names.at(-1);
  if (name === undefined) throw new AppError("invalid", "The path names the workspace itself, not a file in it.");
  return { folders: names.slice(0, -1), name };
}
