import { homedir } from "node:os";
import { delimiter, isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { existing } from "./programs.ts";

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

/** Whom a space is for, and what it needs besides what every system holds. */
export interface SpaceRequest {
  /** The command's: its home is hidden, what its `PATH` names is there. */
  readonly env: Readonly<Record<string, string>>;
  /** The daemon's, which holds its token and everybody's work; hidden. */
  readonly home: string;
  readonly readable: readonly string[];
  readonly writable: readonly string[];
}

/** Only what is there is named, by its real path. */
export async function sandboxSpace({ env, home, readable, writable }: SpaceRequest): Promise<SandboxSpace> {
  const homes = [homedir(), env["HOME"] ?? homedir(), home];
  const hidden = (await existing([...HIDDEN, ...homes])).filter((path) => path !== "/").toSorted((a, b) => a.length - b.length);
  const isHidden = (path: string) => hidden.some((folder) => isInside(folder, path));
  const isAround = (path: string) => hidden.some((folder) => isInside(path, folder));
  const folders = (env["PATH"] ?? "").split(delimiter).filter(isAbsolute);
  const wanted = await existing([...folders, process.execPath, OWN_FILES, ...readable]);
  return {
    hidden,
    masked: await existing(MASKED),
    readable: wanted.filter((path) => isHidden(path) && !isAround(path)),
    writable: await existing(writable),
  };
}

/** Whether a path is a folder or in it. Both absolute and real. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || !(way === ".." || way.startsWith("../") || isAbsolute(way));
}
