import { type Document, isMap, isNode, YAMLMap } from "yaml";
import { AppError } from "../base/errors.ts";
import { readConfigText, writeConfigText } from "./file.ts";
import { FORMAT_VERSION, upgradeFormat } from "./format.ts";
import { recordVersion, versionBefore } from "./history.ts";
import { initialConfigText } from "./initial-text.ts";
import { checkConfigText, checkProjectText, type LoadedConfig } from "./load.ts";
import { configError, type Problem } from "./problem.ts";
import { isMapping, schemaAt, settingSchemas } from "./schema.ts";
import { nearest } from "./suggestion.ts";
import { type Environment, valueFromText } from "./text-value.ts";
import { parseYaml } from "./yaml-text.ts";

/** Which kind of file is edited, and what is needed to check it. */
export type EditScope =
  | { readonly scope: "global"; readonly env: Environment }
  | { readonly scope: "project"; readonly global: LoadedConfig };

/** Writes a home's file that has every setting at its default, explained. `conflict` when there is one already. */
export function initConfig(file: string): void {
  if (readConfigText(file) !== undefined) {
    throw new AppError(
      "conflict",
      `${file} exists already and is left as it is. Change it with "config set" or go back to the defaults with "config reset".`,
      { file },
    );
  }
  accept(file, initialConfigText(), undefined, "global");
}

/**
 * Sets one setting in a file, which is made when there is none; comments and the order of keys stay. The whole file is
 * checked as it would be before anything is written: a wrong key, a wrong value or a file that is wrong elsewhere throws
 * `invalid` and leaves it as it was. Returns the warnings of a project's file (`LoadedProjectConfig`).
 */
export function setConfig(file: string, key: string, valueText: string, edit: EditScope): readonly string[] {
  const path = pathOfSetting(key);
  const node = schemaAt(path) ?? {};
  if (isMapping(node) && !isNamedByPerson(path)) {
    const members = Object.keys(node.properties ?? {}).map((name) => `${key}.${name}`);
    throw new AppError("invalid", `${key} holds several settings: set ${members.join(", ") || `${key}.<name>.<setting>`}.`, { key });
  }
  if (edit.scope === "project" && (node.scope ?? schemaAt(path.slice(0, 1))?.scope) === "global") {
    throw new AppError("invalid", `${key} is a setting of the whole daemon and has no effect in a project's file. Set it in the home's.`, {
      key,
    });
  }
  const value = valueFromText(node, valueText, key);
  try {
    return change(file, edit, (document) => setValue(document, path, value));
  } catch (thrown) {
    throw thrown instanceof AppError ? withoutPlaceOf(key, thrown) : thrown;
  }
}

/**
 * Takes one setting, or a section, out of a file, so that the layer below decides. Without a key the whole home's file
 * goes back to the defaults; the file as it was stays beside it as `.bak`.
 */
export function resetConfig(file: string, key: string | undefined, edit: EditScope): readonly string[] {
  if (key !== undefined) {
    const path = pathOfSetting(key);
    return change(file, edit, (document) => removeValue(document, path));
  }
  if (edit.scope === "project")
    throw new AppError("invalid", "Name the setting to reset; a project's file is not reset as a whole.", { file });
  const before = readConfigText(file);
  if (before !== undefined) backUp(file, before);
  accept(file, initialConfigText(), before, "global");
  return [];
}

/** Brings a file of an older format to the present one and keeps it beside as `.bak`. False: it is of this format already. */
export function upgradeConfig(file: string, edit: EditScope): boolean {
  const text = readConfigText(file);
  if (text === undefined || upgradeFormat(file, parseYaml(file, text)) === FORMAT_VERSION) return false;
  change(file, edit, () => {});
  return true;
}

/**
 * Puts an earlier version of the home's file in force again: the one before the present, or the one with the number
 * `to`. Returns its number. The file as it was stays beside it as `.bak`.
 */
export function rollbackConfig(file: string, env: Environment, to?: number): number {
  const before = readConfigText(file);
  const { version, file: kept } = versionBefore(file, before, to);
  const text = readConfigText(kept) ?? "";
  checkConfigText(file, text, env);
  if (before !== undefined) backUp(file, before);
  writeConfigText(file, text, before);
  return version;
}

/** Such as `agents.mine`: set as a whole too, since one setting of a new agent alone is not valid. */
function isNamedByPerson(path: readonly string[]): boolean {
  return Boolean(schemaAt(path.slice(0, -1))?.additionalProperties);
}

function pathOfSetting(key: string): string[] {
  const path = key.split(".");
  if (key !== "version" && schemaAt(path) !== undefined) return path;
  const near = nearest(
    key,
    settingSchemas.map((setting) => setting.key),
  );
  throw new AppError("invalid", `${key} is not a setting.${near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : ""}`, { key, near });
}

/** What is wrong with the new value is not in the file, so it is told without a line of it. */
function withoutPlaceOf(key: string, error: AppError): AppError {
  const issues = error.details["issues"] as readonly Problem[] | undefined;
  const nowhere = { place: null, line: null, column: null };
  return issues === undefined ? error : configError(issues.map((issue) => (issue.path === key ? { ...issue, ...nowhere } : issue)));
}

function change(file: string, edit: EditScope, apply: (document: Document) => void): readonly string[] {
  const before = readConfigText(file);
  const yaml = parseYaml(file, before ?? "");
  const format = upgradeFormat(file, yaml);
  apply(yaml.document);
  const text = yaml.document.toString({ lineWidth: 0 });
  const warnings = edit.scope === "project" ? checkProjectText(edit.global, file, text).warnings : [];
  if (edit.scope === "global") checkConfigText(file, text, edit.env);
  if (text === before) return warnings;
  if (before !== undefined && format < FORMAT_VERSION) backUp(file, before);
  accept(file, text, before, edit.scope);
  return warnings;
}

function accept(file: string, text: string, before: string | undefined, scope: EditScope["scope"]): void {
  writeConfigText(file, text, before);
  if (scope === "global") recordVersion(file, text);
}

function backUp(file: string, text: string): void {
  const backup = `${file}.bak`;
  writeConfigText(backup, text, readConfigText(backup));
}

/** Puts a value in place of what is there. Comments stay: those of the value, and those in a section that was empty. */
function setValue(document: Document, path: readonly string[], value: unknown): void {
  for (let length = 1; length < path.length; length++) {
    const section = path.slice(0, length);
    const present = document.getIn(section, true);
    if (!isMap(present)) document.setIn(section, withCommentsOf(present, new YAMLMap(document.schema)));
  }
  document.setIn(path, withCommentsOf(document.getIn(path, true), document.createNode(value)));
}

function withCommentsOf<New>(old: unknown, next: New): New {
  if (!isNode(old) || !isNode(next)) return next;
  if (old.comment) next.comment = old.comment;
  if (old.commentBefore) next.commentBefore = old.commentBefore;
  if (old.spaceBefore) next.spaceBefore = old.spaceBefore;
  return next;
}

/** Takes a value out, and its section when nothing else is left in it. */
function removeValue(document: Document, path: readonly string[]): void {
  if (!document.hasIn(path)) return;
  document.deleteIn(path);
  const section = path.slice(0, -1);
  const left = section.length === 0 ? undefined : document.getIn(section, true);
  if (isMap(left) && left.items.length === 0) removeValue(document, section);
}
