import { constants, existsSync } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { AppError } from "../../base/errors.ts";
import type { Finding } from "../../contract/doctor.ts";
import { createIsolations } from "../../isolation/registry.ts";
import { type CgroupPlace, findCgroupPlaces } from "../../process/cgroup-places.ts";
import { runCommand } from "../../process/command.ts";
import { SYSTEMD_FOLDER } from "../../process/systemd-scope.ts";
import { fail, ok, warn, type Check, type Place } from "./examination.ts";

/** What the machine has to offer. */
export const machineChecks: readonly Check[] = [
  { name: "node", look: async () => [judgeNode(process.versions.node)] },
  { name: "git", look: lookAtGit },
  { name: "disk", look: lookAtDisk },
  { name: "clock", look: lookAtClock },
  { name: "cgroups", look: lookAtCgroups },
  { name: "isolation", look: lookAtIsolations },
];

const OLDEST_NODE = "24.16.0";
const OLDEST_GIT = "2.31.0";
/** From here on it merges without a work tree. */
const MERGING_GIT = "2.38.0";
const COMMAND_TIMEOUT_MS = 10_000;
const GB = 1e9;

export function judgeNode(version: string): Finding {
  if (!isOlder(version, OLDEST_NODE)) return ok("node", version);
  return fail("node", `${version}, which is older than ${OLDEST_NODE}`, "Install a newer Node.js, or start Drover by its own `drover`.");
}

async function lookAtGit({ env, clock, signal }: Place): Promise<Finding[]> {
  const options = { cwd: "/", env: { PATH: env["PATH"] ?? "" }, timeoutMs: COMMAND_TIMEOUT_MS, maxOutputBytes: 64 * 1024, clock, signal };
  try {
    return [judgeGit((await runCommand(["git", "--version"], options)).stdout)];
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    return [fail("git", "it is not on PATH", `Install git ${OLDEST_GIT} or newer.`)];
  }
}

export function judgeGit(said: string): Finding {
  const version = /(\d+\.\d+(?:\.\d+)?)/u.exec(said)?.[1] ?? "";
  if (version !== "" && !isOlder(version, MERGING_GIT)) return ok("git", version);
  if (version !== "" && !isOlder(version, OLDEST_GIT))
    return warn("git", `${version}, which can't put work onto a base that has moved`, `Install git ${MERGING_GIT} or newer.`);
  return fail("git", version === "" ? "it does not say its version" : version, `Install git ${OLDEST_GIT} or newer.`);
}

async function lookAtDisk({ paths }: Place): Promise<Finding[]> {
  const { bavail, bsize, type } = await statfs(await nearestThere(paths.home));
  return [judgeDisk(bavail * bsize), judgeFileSystem(type)];
}

export function judgeDisk(freeBytes: number): Finding {
  const found = `${(freeBytes / GB).toFixed(1)} GB free for Drover's home`;
  if (freeBytes < 0.5 * GB)
    return fail("disk", found, "Make room: nothing starts on a full disk. Old logs, runs and backups are in the home.");
  return freeBytes < 5 * GB ? warn("disk", found, "Make room soon: each workspace is a checkout of its project.") : ok("disk", found);
}

/** By the magic numbers of statfs(2). */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x01021997, "9p"],
  [0x73757245, "Coda"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
]);

/** SQLite's write-ahead log needs memory that all its readers share: https://sqlite.org/wal.html */
export function judgeFileSystem(type: number): Finding {
  const network = NETWORK_FILE_SYSTEMS.get(type);
  if (network === undefined) return ok("file system", "the home is on a local file system");
  return fail(
    "file system",
    `the home is on ${network}, where a database in WAL mode can be damaged`,
    "Name a folder on a local disk in DROVER_HOME.",
  );
}

async function lookAtClock({ paths, clock }: Place): Promise<Finding[]> {
  return [judgeClock(clock.now(), await changedAt(paths.database))];
}

/** A release of Drover is never younger than the time now. */
const RELEASED_AT = Date.parse("2026-01-01");
const AHEAD_MAX_MS = 60_000;

/** @param lastWriteAt when the database was last written to; null: there is none. */
export function judgeClock(now: number, lastWriteAt: number | null): Finding {
  const says = `it says ${new Date(now).toISOString()}`;
  const remedy = "Set the clock, and keep it right: timedatectl set-ntp true";
  if (now < RELEASED_AT) return fail("clock", says, remedy);
  if (lastWriteAt !== null && lastWriteAt > now + AHEAD_MAX_MS)
    return warn("clock", `${says}, but the database was written to at ${new Date(lastWriteAt).toISOString()}`, remedy);
  return ok("clock", says);
}

/** A group can be divided by who may write there, and systemd gives out others in its place. */
async function canDivide({ version, folder }: CgroupPlace): Promise<boolean> {
  if (version === 2 && existsSync(SYSTEMD_FOLDER)) return true;
  try {
    await access(folder, constants.W_OK);
    return true;
  } catch {
    return false; // that is the answer
  }
}

async function lookAtCgroups(): Promise<Finding[]> {
  if (process.platform !== "linux") return [warn("cgroups", "only Linux has them", "Nothing: memory limits are kept by measuring.")];
  const places = await findCgroupPlaces("/proc");
  const divisible = await Promise.all(places.map(async (place) => ((await canDivide(place)) ? place.controllers : [])));
  const controllers = new Set(divisible.flat());
  if (controllers.has("memory")) return [ok("cgroups", `the kernel can limit ${[...controllers].join(", ")}`)];
  return [
    warn(
      "cgroups",
      "the kernel lets this user limit no memory",
      "Nothing must be done: limits are kept by measuring. For limits by the kernel run the daemon under systemd with Delegate=yes.",
    ),
  ];
}

async function lookAtIsolations({ paths, config, clock, env, signal }: Place): Promise<Finding[]> {
  const { docker, defaults } = config;
  const isolations = createIsolations({
    clock,
    home: paths.home,
    scope: paths.home,
    path: env["PATH"] ?? "",
    dockerSocket: docker.socket,
  });
  const others = [...isolations.values()].filter(({ name }) => name !== "process");
  return Promise.all(
    others.map(async (isolation) => {
      const { name } = isolation;
      const availability = await isolation.detect(signal);
      if (availability.available) return ok(name, availability.version);
      const judge = name === defaults.isolation ? fail : warn;
      const found = name === defaults.isolation ? "not available, and defaults.isolation names it" : "not available";
      return judge(name, found, availability.message);
    }),
  );
}

async function nearestThere(folder: string): Promise<string> {
  return (await changedAt(folder)) !== null || folder === "/" ? folder : nearestThere(dirname(folder));
}

/** Epoch milliseconds; null: there is no such file. */
async function changedAt(file: string): Promise<number | null> {
  try {
    return (await stat(file)).mtimeMs;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw thrown;
  }
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}
