import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { lstat, mkdir, open, opendir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { AppError, messageOf } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";
import { hasCode, isSystemFailure } from "../../process/system-error.ts";
import { refusal } from "./refusal.ts";

/** `link` is a symbolic link, `other` a FIFO, a socket or a device. */
export type EntryKind = "file" | "folder" | "link" | "other";

export interface Entry {
  readonly name: string;
  readonly kind: EntryKind;
}

const isLinux = process.platform === "linux";
/** No symbolic link: as the last name, where the rest of the path is held open; anywhere in the path on macOS (O_NOFOLLOW_ANY, open(2)). */
const NO_LINKS = process.platform === "darwin" ? 0x2000_0000 : constants.O_NOFOLLOW;
/** Never waits for the other end of a FIFO, and makes no terminal ours. */
const AT_ONCE = constants.O_NONBLOCK | constants.O_NOCTTY;

/**
 * A folder that is held open. On Linux names are looked up in the very folder that was opened, by `/proc/self/fd` (proc(5)),
 * so it does not matter what becomes of the way to it meanwhile. On macOS there is no such way to name a file: there
 * opening goes by the whole path, in which no link may be, files are written in place, and no folders are made.
 */
export class OpenFolder implements AsyncDisposable {
  readonly #handle: FileHandle;
  /** By which the system finds it. */
  readonly #way: string;
  /** By which the model knows it. */
  readonly #shown: string;

  private constructor(handle: FileHandle, path: string, shown: string) {
    this.#handle = handle;
    this.#way = isLinux ? `/proc/self/fd/${handle.fd}` : path;
    this.#shown = shown;
  }

  /** `path`: absolute and real. */
  static async open(path: string): Promise<OpenFolder> {
    if (!isLinux && process.platform !== "darwin")
      throw new AppError("unavailable", "The tools for files work on Linux and macOS only: elsewhere nothing keeps them in the workspace.");
    return new OpenFolder(await open(path, constants.O_RDONLY | constants.O_DIRECTORY), path, "");
  }

  async openFolder(name: string): Promise<OpenFolder> {
    const handle = await this.#open(name, constants.O_RDONLY | constants.O_DIRECTORY);
    return new OpenFolder(handle, join(this.#way, name), this.#pathOf(name));
  }

  /** A plain file, to read. */
  async openFile(name: string): Promise<FileHandle> {
    return this.#plain(name, await this.#open(name, constants.O_RDONLY | AT_ONCE));
  }

  /** Makes a folder where there is none. */
  async makeFolder(name: string): Promise<void> {
    if (!isLinux) {
      throw new AppError("invalid", `There is no folder ${this.#pathOf(name)}, and on this system only a command can make one.`);
    }
    try {
      await mkdir(this.#at(name), 0o777);
    } catch (failure) {
      if (!hasCode(failure, "EEXIST")) throw cannot(`make the folder ${this.#pathOf(name)}`, failure);
    }
  }

  /** Writes a whole file, so that nobody sees a part of it where the system allows that, and with the mode of the one that it takes the place of. */
  async writeFile(name: string, content: Buffer): Promise<void> {
    const mode = await this.#modeOf(name);
    if (!isLinux) return this.#writeInPlace(name, content, mode ?? 0o666);
    const temporary = `.drover-${randomUUID()}.tmp`;
    const handle = await this.#open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode ?? 0o666);
    try {
      await using file = handle;
      await file.writeFile(content);
      // What the mask took from it.
      if (mode !== undefined) await file.chmod(mode);
      await rename(this.#at(temporary), this.#at(name));
    } catch (failure) {
      await rm(this.#at(temporary), { force: true });
      throw cannot(`write ${this.#pathOf(name)}`, failure);
    }
  }

  /** What is in it, by name, and no more than `max`. */
  async entries(max: number): Promise<Entry[]> {
    const found: Entry[] = [];
    try {
      for await (const entry of await opendir(this.#way)) {
        if (found.push({ name: entry.name, kind: kindOf(entry) }) === max) break;
      }
    } catch (failure) {
      throw cannot(`list ${this.#shown || "the workspace"}`, failure);
    }
    return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What a name is at this moment; undefined: there is nothing. */
  async kindOf(name: string): Promise<EntryKind | undefined> {
    return (await this.#look(name))?.kind;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  #at(name: string): string {
    return join(this.#way, name);
  }

  #pathOf(name: string): string {
    return safeLine(join(this.#shown, name));
  }

  async #open(name: string, flags: number, mode?: number): Promise<FileHandle> {
    try {
      return await open(this.#at(name), flags | NO_LINKS, mode);
    } catch (failure) {
      throw await this.#failureToOpen(name, failure);
    }
  }

  /** `handle` itself, if it is a plain file's. */
  async #plain(name: string, handle: FileHandle): Promise<FileHandle> {
    const stats = await handle.stat();
    if (stats.isFile()) return handle;
    await handle.close();
    throw stats.isDirectory() ? this.#isFolder(name) : this.#isNoFile(name);
  }

  /** The mode of the plain file of this name; undefined: there is nothing. */
  async #modeOf(name: string): Promise<number | undefined> {
    const found = await this.#look(name);
    switch (found?.kind) {
      case "folder":
        throw this.#isFolder(name);
      case "link":
        throw this.#isLink(name);
      case "other":
        throw this.#isNoFile(name);
      case "file":
      case undefined:
        return found?.mode;
    }
  }

  async #writeInPlace(name: string, content: Buffer, mode: number): Promise<void> {
    await using file = await this.#plain(name, await this.#open(name, constants.O_WRONLY | constants.O_CREAT | AT_ONCE, mode));
    await file.truncate();
    await file.writeFile(content);
  }

  async #look(name: string): Promise<{ kind: EntryKind; mode: number } | undefined> {
    try {
      const stats = await lstat(this.#at(name));
      return { kind: kindOf(stats), mode: stats.mode & 0o777 };
    } catch (failure) {
      if (hasCode(failure, "ENOENT")) return undefined;
      throw cannot(`look at ${this.#pathOf(name)}`, failure);
    }
  }

  /** The system says ENOTDIR and ELOOP for several things; what it is now is only told, never relied on. */
  async #failureToOpen(name: string, failure: unknown): Promise<unknown> {
    if (hasCode(failure, "ENOENT")) return new AppError("not_found", `There is no ${this.#pathOf(name)} in the workspace.`);
    if (hasCode(failure, "ENXIO", "EOPNOTSUPP")) return this.#isNoFile(name);
    if (!hasCode(failure, "ELOOP", "ENOTDIR")) return cannot(`open ${this.#pathOf(name)}`, failure);
    const kind = await this.kindOf(name);
    if (hasCode(failure, "ELOOP") || kind === "link") return this.#isLink(name);
    return kind === "other" ? this.#isNoFile(name) : new AppError("invalid", `${this.#pathOf(name)} is no folder.`);
  }

  #isFolder(name: string): AppError {
    return new AppError("invalid", `${this.#pathOf(name)} is a folder, not a file.`);
  }

  #isLink(name: string): AppError {
    return refusal(`${this.#pathOf(name)} is a symbolic link, and links are not followed. Give the path of the file itself.`);
  }

  #isNoFile(name: string): AppError {
    return refusal(`${this.#pathOf(name)} is no plain file but a FIFO, a socket or a device.`);
  }
}

function kindOf(entry: Pick<Stats, "isFile" | "isDirectory" | "isSymbolicLink">): EntryKind {
  if (entry.isFile()) return "file";
  if (entry.isDirectory()) return "folder";
  return entry.isSymbolicLink() ? "link" : "other";
}

/** Without the way by which the system was asked, which says nothing to a model. */
function cannot(doWhat: string, failure: unknown): unknown {
  if (!isSystemFailure(failure)) return failure;
  return new AppError("unavailable", `Cannot ${doWhat}: ${messageOf(failure).replace(/, \w+ '.*$/su, "")}.`, { cause: failure });
}
