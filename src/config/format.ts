import { type Document, isMap } from "yaml";
import { configError, shown } from "./problem.ts";
import type { YamlText } from "./yaml-text.ts";

/** The version of the file format that this program writes. */
export const FORMAT_VERSION = 1;

/** How a file of each older version becomes one of the next: the first makes version 1 of version 0. */
const upgrades: readonly ((document: Document) => void)[] = [
  // Version 0 had the same keys and did not name its version.
  (document) => {
    const version = document.createPair("version", 1);
    if (isMap(document.contents)) document.contents.items.unshift(version);
    else document.set("version", 1);
  },
];

/**
 * Brings a file's text to the present format, in memory, and says of which version it was. Throws `invalid` when it is of
 * a version that this program does not know.
 */
export function upgradeFormat(file: string, yaml: YamlText): number {
  const { version = 0 } = yaml.values();
  if (typeof version !== "number" || !Number.isInteger(version) || version < 0 || version > FORMAT_VERSION) {
    const isNewer = Number.isInteger(version) && Number(version) > FORMAT_VERSION;
    const message = isNewer
      ? `This file is of format ${shown(version)}, written by a newer Drover; this one knows formats up to ${FORMAT_VERSION}. Update Drover, or take an older copy of the file.`
      : `version is ${shown(version)}; allowed: ${FORMAT_VERSION}.`;
    throw configError([{ path: "version", place: file, ...yaml.locate(["version"]), message }]);
  }
  for (const upgrade of upgrades.slice(version)) upgrade(yaml.document);
  return version;
}
