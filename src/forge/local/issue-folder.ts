import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { AppError, messageOf } from "../../base/errors.ts";
import type { Project } from "../../contract/project.ts";
import { contentHash } from "../content-hash.ts";
import type { Issue } from "../forge.ts";
import { parseIssue } from "./issue-file.ts";

/** A file in the folder of issues, by name only. */
export interface IssueFile {
  readonly number: number;
  readonly path: string;
}

export interface FolderState {
  readonly files: readonly IssueFile[];
  /** Changes when a file is added, removed, renamed or written. */
  readonly fingerprint: string;
}

const FOLDER = join(".drover", "issues");
const NAME = /^(\d{1,9})(?:-.*)?\.md$/;
const FILE_MAX_BYTES = 1024 * 1024;

/** The issue files of a project's working folder, by number. Undefined: there is no such folder. Throws `unavailable` when it can't be read. */
export async function readFolder(project: Project): Promise<FolderState | undefined> {
  const folder = await findFolder(project);
  if (folder === undefined) return undefined;
  const files: IssueFile[] = [];
  const hash = createHash("sha256");
  for (const name of (await readdir(folder)).toSorted()) {
    const number = Number(NAME.exec(name)?.[1] ?? 0);
    if (number === 0) continue;
    const path = join(folder, name);
    const { ino, size, mtimeNs, ctimeNs } = await lstat(path, { bigint: true });
    hash.update(JSON.stringify([name, ino, size, mtimeNs, ctimeNs].map(String)));
    files.push({ number, path });
  }
  return { files: files.toSorted((a, b) => a.number - b.number), fingerprint: hash.digest("hex") };
}

/** Throws `invalid` when the file is no issue that can be read; the message says why. */
export async function readIssue(file: IssueFile, all: readonly IssueFile[]): Promise<Issue> {
  const twin = all.find((other) => other.number === file.number && other.path !== file.path);
  if (twin !== undefined)
    throw new AppError("invalid", `Two files have the number ${file.number}: ${file.path} and ${twin.path}. Rename one.`);
  const { text, updatedAt } = await readText(file.path);
  const issue = describing(file.path, () => parseIssue(text));
  return {
    number: file.number,
    title: issue.title,
    body: issue.body,
    url: pathToFileURL(file.path).href,
    open: issue.open,
    labels: issue.labels,
    author: issue.author ?? "local",
    association: "OWNER",
    updatedAt,
    contentHash: contentHash(issue.title, issue.body),
    comments: [],
  };
}

async function findFolder(project: Project): Promise<string | undefined> {
  try {
    const root = await realpath(project.path);
    const folder = await realpath(join(root, FOLDER)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
      throw error;
    });
    if (folder === undefined) return undefined;
    if (!folder.startsWith(root + sep))
      throw new AppError("invalid", `${join(project.path, FOLDER)} leads out of the project. Make it a folder of its own.`);
    return folder;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("unavailable", `Cannot read the folder of ${project.name}: ${messageOf(error)}. Is ${project.path} still there?`, {
      cause: error,
    });
  }
}

async function readText(path: string): Promise<{ text: string; updatedAt: number }> {
  // O_NOFOLLOW: a link could lead out of the project. O_NONBLOCK: a pipe would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      const why = error.code === "ELOOP" ? "it is a symbolic link, which is not followed" : messageOf(error);
      throw new AppError("invalid", `Cannot read ${path}: ${why}.`, { cause: error });
    },
  );
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw new AppError("invalid", `Cannot read ${path}: it is no file.`);
    if (stats.size > FILE_MAX_BYTES) throw new AppError("invalid", `${path} is larger than 1 MB. Make it shorter.`);
    return { text: await handle.readFile("utf8"), updatedAt: Math.floor(stats.mtimeMs) };
  } finally {
    await handle.close();
  }
}

function describing<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new AppError("invalid", `${path}: ${messageOf(error)}`, { cause: error });
  }
}
