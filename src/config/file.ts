import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { AppError, messageOf } from "../base/errors.ts";
import { configError } from "./problem.ts";

const SIZE_MAX = 256 * 1024;

/**
 * The text of a configuration file; undefined when there is no file. Throws `invalid` when it is none that could be
 * meant: too big, not a file, not UTF-8; `unavailable` when it cannot be read.
 */
export function readConfigText(file: string): string | undefined {
  const bytes = readBytes(file);
  if (bytes === undefined) return undefined;
  if (bytes.length > SIZE_MAX) throw wrongFile(file, `This file is bigger than ${SIZE_MAX / 1024} KB.`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw wrongFile(file, "This file is not UTF-8 text.");
  }
}

/**
 * Puts a text in place of a file's, whole or not at all, readable by its owner only. A symbolic link stays and its
 * target is replaced. `expected` is the text the change was made from: `conflict` when the file has another by now.
 */
export function writeConfigText(file: string, text: string, expected: string | undefined): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const target = targetOf(file);
  const temporary = join(dirname(target), `.${randomUUID()}.tmp`);
  try {
    writeFileSync(temporary, text, { flag: "wx", mode: 0o600, flush: true });
    if (readConfigText(file) !== expected) {
      throw new AppError("conflict", `${file} was changed by someone else meanwhile and is left as it is. Try again.`, { file });
    }
    renameSync(temporary, target);
  } finally {
    rmSync(temporary, { force: true });
  }
  flushFolder(dirname(target));
}

// One byte more than allowed is enough to know, however big the file is or becomes.
function readBytes(file: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    // Opening a named pipe would wait for its writer.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) throw wrongFile(file, "This is not a file.");
    const bytes = Buffer.alloc(SIZE_MAX + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    return bytes.subarray(0, length);
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new AppError("unavailable", `Cannot read ${file}: ${messageOf(thrown)}.`, { cause: thrown, file });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function wrongFile(file: string, message: string): AppError {
  return configError([{ path: "", place: file, line: null, column: null, message }]);
}

function targetOf(file: string): string {
  try {
    return realpathSync(file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return file;
    throw thrown;
  }
}

/** Makes a rename last: until its folder is flushed, a power cut can undo it. */
function flushFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
