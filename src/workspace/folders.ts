import { constants, type Stats } from "node:fs";
import { chmod, lstat, open, readdir, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";

const REMOVE_ATTEMPTS = 5;

/** What stands at a path, never following a link there. Undefined: nothing. */
export async function look(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * What stands at a relative path below `root`. Undefined: nothing, or it can't be reached without leaving `root` (`..`, an
 * absolute path, a link on the way). What stands there may be a link itself.
 */
export async function lookInside(root: string, path: string): Promise<Stats | undefined> {
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === "..")) return undefined;
  let place = root;
  for (const part of parts.slice(0, -1)) {
    place = join(place, part);
    if (!(await look(place))?.isDirectory()) return undefined;
  }
  return look(join(root, path));
}

/**
 * Opens a file for reading that an agent may swap for something else at any moment: never through a link, and a pipe in its
 * place does not keep us waiting. Throws `conflict` when it is no file.
 */
export async function openPlainFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new AppError("conflict", `${path} is no file any more.`);
}

/** The content of such a file. */
export async function readPlainFile(path: string): Promise<Buffer> {
  await using file = await openPlainFile(path);
  return await file.readFile();
}

/** Throws `conflict` when something other than a folder stands at a workspace's path; false: nothing does. */
export async function isFolder(path: string): Promise<boolean> {
  const found = await look(path);
  if (found === undefined) return false;
  if (found.isDirectory()) return true;
  throw new AppError(
    "conflict",
    `${path} is no folder any more: something put a link or a file in the place of a workspace. Look at it and move it away.`,
  );
}

/** Removes a folder with all in it, also where folders in it may not be written to (Go's module cache). Nothing at the path: fine. */
export async function removeFolder(path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rm(path, { recursive: true, force: true });
    } catch (error) {
      if (attempt === REMOVE_ATTEMPTS || !isRefused(error)) throw error;
      await makeWritable(path);
    }
  }
}

/** A removal that was refused in one place still goes on in others, and so some of what is listed here is gone when its turn comes. */
async function makeWritable(folder: string): Promise<void> {
  try {
    await chmod(folder, 0o700);
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EPERM" || error.code === "ENOTEMPTY");
}
