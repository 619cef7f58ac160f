import { realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { WrapRequest } from "./isolation.ts";

/** What a sandboxed command sees of the disk. All that is not named is read-only; what is named later counts. */
export interface SandboxSpace {
  /** Folders that are empty in there, and may be written to as long as it lives. Outer ones first. */
  readonly hidden: readonly string[];
  /** Files that are empty in there. */
  readonly masked: readonly string[];
  /** In a hidden folder, and yet there, read-only. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
}

/** Homes, sockets of services, other programs' temporary files; and keys of the machine, which root could read. */
const HIDDEN = ["/tmp", "/var/tmp", "/run", "/var/run", "/home", "/root", "/Users", "/etc/ssh", "/etc/ssl/private", "/var/spool/cron"];
const MASKED = ["/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers"];

const OWN_FILES = fileURLToPath(new URL(".", import.meta.url));

/** `home`: the daemon's, which holds its token and everybody's work. Only what is there is named, by its real path. */
export async function sandboxSpace(request: WrapRequest, home: string): Promise<SandboxSpace> {
  const { command, workspace, configDirectory, config, reach } = request;
  const homes = [homedir(), command.env["HOME"] ?? homedir(), home];
  const hidden = (await existing([...HIDDEN, ...homes])).filter((path) => path !== "/").toSorted((a, b) => a.length - b.length);
  const isHidden = (path: string) => hidden.some((folder) => isInside(folder, path));
  const isAround = (path: string) => hidden.some((folder) => isInside(path, folder));
  const programs = [process.execPath, OWN_FILES, ...(await programFiles(command.argv, command.env["PATH"] ?? ""))];
  const folders = (command.env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const wanted = await existing([...folders, ...programs, ...config.sandbox.readable]);
  return {
    hidden,
    masked: await existing(MASKED),
    readable: wanted.filter((path) => isHidden(path) && !isAround(path)),
    writable: await existing([workspace, configDirectory, ...reach.files]),
  };
}

/** Whether a path is a folder or in it. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || !(way === ".." || way.startsWith("../") || isAbsolute(way));
}

/** What has to be there for a program to run: the package that it is part of, or the file alone; and the script of an interpreter. */
export async function programFiles(argv: readonly string[], path: string): Promise<string[]> {
  const [program = "", script = ""] = argv;
  const candidates = program.includes("/") ? [program] : path.split(delimiter).map((folder) => join(folder, program));
  const found = await existing([...candidates.slice(0, 64), ...(isAbsolute(script) ? [script] : [])]);
  const files = await Promise.all(found.map(async (file) => ((await stat(file)).isFile() ? [packageOf(file)] : [])));
  return files.flat();
}

/** A file of an installed package needs the packages around it. */
function packageOf(file: string): string {
  const at = file.indexOf("/node_modules/");
  return at === -1 ? file : join(file.slice(0, at), "node_modules");
}

/** The real paths of those that are there, each once. */
async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  return [...new Set(found.filter((path) => path !== undefined))];
}
