import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "../base/errors.ts";
import { readConfigText, writeConfigText } from "./file.ts";

const KEPT_MAX = 10;

/** A text that the home's file had and that was accepted. No two have the same text; numbers count up. */
export interface ConfigVersion {
  readonly version: number;
  readonly file: string;
}

/** The kept versions of a home's file, the oldest first. */
export function listVersions(configFile: string): ConfigVersion[] {
  const folder = folderOf(configFile);
  return namesIn(folder)
    .flatMap((name) => {
      const digits = /^(\d{4,})\.yaml$/.exec(name)?.[1];
      return digits === undefined ? [] : [{ version: Number(digits), file: join(folder, name) }];
    })
    .toSorted((a, b) => a.version - b.version);
}

/** Keeps a text that was accepted as the home's file, and the last ten in all. One that is kept already gets no new number. */
export function recordVersion(configFile: string, text: string): ConfigVersion {
  const versions = listVersions(configFile);
  const known = versions.find(({ file }) => readConfigText(file) === text);
  if (known !== undefined) return known;
  const version = (versions.at(-1)?.version ?? 0) + 1;
  const folder = folderOf(configFile);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const recorded = { version, file: join(folder, `${String(version).padStart(4, "0")}.yaml`) };
  writeConfigText(recorded.file, text, undefined);
  for (const { file } of versions.slice(0, -(KEPT_MAX - 1))) rmSync(file, { force: true });
  return recorded;
}

/**
 * The version to go back to: the one before the present, or the one with the number `to`. The present is the one that
 * says what the file says; where the file says what was never accepted, the newest.
 */
export function versionBefore(configFile: string, text: string | undefined, to?: number): ConfigVersion {
  const versions = listVersions(configFile);
  const present = versions.findIndex(({ file }) => readConfigText(file) === text);
  const wanted =
    to === undefined ? versions[(present < 0 ? versions.length : present + 1) - 2] : versions.find(({ version }) => version === to);
  if (wanted !== undefined) return wanted;
  const kept = versions.length === 0 ? "none is kept yet" : `kept are ${versions.map(({ version }) => version).join(", ")}`;
  throw new AppError("not_found", `There is no ${to === undefined ? "earlier version" : `version ${to}`} of ${configFile}; ${kept}.`, {
    configFile,
  });
}

function folderOf(configFile: string): string {
  return join(dirname(configFile), "config-history");
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw thrown;
  }
}
