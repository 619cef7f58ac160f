import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";

/**
 * Who listens on a port of this machine, for a person: `process 123 (node)`, or `another program` where the system
 * doesn't say. Linux: /proc/net/tcp gives the socket's inode, /proc/PID/fd the process that holds it (proc(5)).
 */
export async function portHolder(port: number): Promise<string> {
  try {
    const sockets = await listeningSockets(port);
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      if (await holds(pid, sockets)) return `process ${pid} (${await programOf(pid)})`;
    }
  } catch {
    // No /proc here, or it changed while we looked: the answer is only a hint.
  }
  return "another program";
}

async function programOf(pid: string): Promise<string> {
  const [program = ""] = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  return basename(program);
}

async function listeningSockets(port: number): Promise<Set<string>> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8")));
  const rows = tables.flatMap((table) => table.split("\n").slice(1)).map((line) => line.trim().split(/\s+/));
  const listening = rows.filter(([, local, , state]) => local?.endsWith(`:${hexPort}`) && state === "0A");
  return new Set(listening.map((row) => `socket:[${row[9]}]`));
}

async function holds(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  try {
    const files = await readdir(`/proc/${pid}/fd`);
    const targets = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => "")));
    return targets.some((target) => sockets.has(target));
  } catch {
    // Ended meanwhile, or another user's: not one we can name.
    return false;
  }
}
