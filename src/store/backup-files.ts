import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const BACKUPS_KEPT = 10;
const NAME = /^drover-\d{8}T\d{9}Z.*\.db$/;

/** A free name for a backup made at `now`, `drover-20261120T161500123Z-format-1.db`: sorted by name is sorted by time. */
export function backupPath(directory: string, now: number, note = ""): string {
  const time = new Date(now).toISOString().replaceAll(/[-:.]/g, "");
  const stem = join(directory, ["drover", time, note].filter(Boolean).join("-"));
  for (let copy = 1; ; copy += 1) {
    const path = copy === 1 ? `${stem}.db` : `${stem}-${copy}.db`;
    if (!existsSync(path)) return path;
  }
}

/** Removes all but the newest ten backups of a folder; other files stay. */
export function keepNewestBackups(directory: string): void {
  const names = readdirSync(directory).filter((name) => NAME.test(name));
  for (const name of names.toSorted().slice(0, -BACKUPS_KEPT)) rmSync(join(directory, name));
}
