import { resolve } from "node:path";
import { AppError } from "../../base/errors.ts";
import { initConfig, resetConfig, rollbackConfig, setConfig, upgradeConfig, type EditScope } from "../../config/edit.ts";
import { readConfigText } from "../../config/file.ts";
import { checkConfigText, loadConfig, loadProjectConfig } from "../../config/load.ts";
import { projectConfigFile } from "../../config/project-folder.ts";
import { configJsonSchema, settingSchemas } from "../../config/schema.ts";
import type { Setting } from "../../contract/config.ts";
import type { Cli } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { repositoryRoot } from "../repository-root.ts";
import { painted, show as line, type Shown } from "../../words/shown.ts";

/** `local`: the file of the project that the current folder lies in, instead of the home's. */
export interface ScopeOptions {
  readonly local?: boolean;
}

export function init(cli: Cli): void {
  initConfig(cli.paths.config);
  if (cli.isJson) return cli.terminal.printJson({ file: cli.paths.config });
  cli.terminal.print(line`Made ${painted("cyan", cli.paths.config)} with every setting at its default, explained.`);
}

/** The settings in force, as far as files and environment say; all, those of a section, or one. */
export async function show(
  cli: Cli,
  key: string | undefined,
  { local = false, origin = false }: ScopeOptions & { origin?: boolean },
): Promise<void> {
  const global = loadConfig({ globalFile: cli.paths.config, env: cli.env });
  const project = local ? loadProjectConfig(global, localFile(cli)) : undefined;
  const settings = (project ?? global).settings().filter((setting) => key === undefined || isWithin(setting.key, key));
  if (settings.length === 0) throw new AppError("not_found", `${key} is not a setting. All: drover config show`);
  if (cli.isJson) return cli.terminal.printJson({ settings });
  for (const warning of project?.warnings ?? []) cli.terminal.note(line`${painted("yellow", "!")} ${warning}`);
  if (!origin) return cli.terminal.print(...settings.map((setting) => line`${setting.key} = ${JSON.stringify(setting.value)}`));
  await cli.terminal.printTable(["SETTING", "FROM", "VALUE"], settings.map(rowWithOrigin));
}

export function set(cli: Cli, key: string, value: string, options: ScopeOptions): void {
  const { file, scope } = editOf(cli, options);
  const warnings = setConfig(file, key, value, scope);
  done(cli, file, [...warnings, ...restartHint(key)], line`${key} is set in ${painted("cyan", file)}.`);
}

export async function reset(cli: Cli, key: string | undefined, options: ScopeOptions): Promise<void> {
  const { file, scope } = editOf(cli, options);
  if (key === undefined && !(await confirm(cli, `Set everything in ${file} back to its default?`)))
    throw new AppError("cancelled", "Nothing was changed.");
  done(
    cli,
    file,
    [...resetConfig(file, key, scope), ...restartHint(key)],
    key === undefined
      ? line`${painted("cyan", file)} is back at the defaults; what it was is in ${file}.bak.`
      : line`${key} is at its default again.`,
  );
}

/** Throws every problem of a file, with line and column; the home's, the project's, or any other as if it were the home's. */
export function validate(cli: Cli, named: string | undefined, { local = false }: ScopeOptions): void {
  if (named !== undefined && local) throw new AppError("invalid", "Name a file or say --local, not both.");
  const file = named === undefined ? (local ? localFile(cli) : cli.paths.config) : resolve(cli.cwd, named);
  const text = readConfigText(file);
  if (text === undefined && named !== undefined) throw new AppError("not_found", `There is no file ${file}.`);
  const warnings = local ? loadProjectConfig(loadConfig({ globalFile: cli.paths.config, env: cli.env }), file).warnings : [];
  if (!local) checkConfigText(file, text ?? "", cli.env);
  done(
    cli,
    file,
    warnings,
    text === undefined ? line`There is no ${file}; every setting is at its default.` : line`${painted("cyan", file)} is valid.`,
  );
}

export function rollback(cli: Cli, options: { to?: number }): void {
  const version = rollbackConfig(cli.paths.config, cli.env, options.to);
  if (cli.isJson) return cli.terminal.printJson({ file: cli.paths.config, version });
  cli.terminal.print(
    line`${painted("cyan", cli.paths.config)} is as in version ${version} again; what it was is in ${cli.paths.config}.bak.`,
  );
}

/** Brings a file of an older format to the present one; what it was stays beside it. */
export function upgrade(cli: Cli, options: ScopeOptions): void {
  const { file, scope } = editOf(cli, options);
  const upgraded = upgradeConfig(file, scope);
  if (cli.isJson) return cli.terminal.printJson({ file, upgraded });
  const name = painted("cyan", file);
  cli.terminal.print(
    upgraded ? line`${name} has the present format; what it was is in ${file}.bak.` : line`${name} needs no upgrade; nothing was changed.`,
  );
}

export function schema(cli: Cli): void {
  cli.terminal.printJson(configJsonSchema());
}

function editOf(cli: Cli, { local = false }: ScopeOptions): { file: string; scope: EditScope } {
  if (!local) return { file: cli.paths.config, scope: { scope: "global", env: cli.env } };
  return { file: localFile(cli), scope: { scope: "project", global: loadConfig({ globalFile: cli.paths.config, env: cli.env }) } };
}

function localFile(cli: Cli): string {
  return projectConfigFile(repositoryRoot(cli.cwd));
}

function done(cli: Cli, file: string, warnings: readonly string[], message: Shown): void {
  if (cli.isJson) return cli.terminal.printJson({ file, warnings });
  cli.terminal.print(message);
  for (const warning of warnings) cli.terminal.note(line`${painted("yellow", "!")} ${warning}`);
}

/** What is not read anew while the daemon runs. */
function restartHint(key: string | undefined): string[] {
  const isWaiting = key !== undefined && settingSchemas.some((setting) => setting.node.needsRestart && isWithin(setting.key, key));
  return isWaiting ? [`${key} takes effect when the daemon starts: drover daemon restart`] : [];
}

function isWithin(key: string, wanted: string): boolean {
  return key === wanted || key.startsWith(`${wanted}.`) || key.startsWith(`${wanted}[`);
}

function rowWithOrigin({ key, value, origin, place }: Setting): Shown[] {
  return [line`${key}`, origin === "default" ? painted("dim", origin) : line`${place ?? origin}`, line`${JSON.stringify(value)}`];
}
