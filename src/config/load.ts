import { type Config, type ProjectConfig, projectSections, type Setting } from "../contract/config.ts";
import { confiningIsolations } from "../contract/isolation.ts";
import { checkLayers, mergeLayers } from "./check.ts";
import { readConfigText } from "./file.ts";
import { environmentLayer, fileLayer, flagLayer, type Layer } from "./layer.ts";
import { problemLine, shown } from "./problem.ts";
import { isMapping, keyOf, type Path, schemaAt, type SchemaNode, settingSchemas } from "./schema.ts";
import type { Environment } from "./text-value.ts";
import { has, isTree, type Tree, valueAt, without } from "./tree.ts";

/** The configuration of the daemon, checked and frozen, with the origin of each setting. */
export interface LoadedConfig {
  readonly config: Config;
  /** The home's file, whether it exists or not. */
  readonly file: string;
  /** Its text; undefined when there is none. */
  readonly text: string | undefined;
  /** Every setting in force, in the order of the schema. */
  settings(): Setting[];
  /** What it was made of, for the configurations of projects. */
  readonly source: { readonly layers: readonly Layer[]; readonly env: Environment };
}

/** The configuration of one project. */
export interface LoadedProjectConfig {
  readonly config: ProjectConfig;
  readonly file: string;
  /** What its file asks for and does not get, in sentences: settings of the whole daemon, limits above the global ones. */
  readonly warnings: readonly string[];
  /** Every setting as it is in force for this project, the global ones too. */
  settings(): Setting[];
}

/**
 * Loads the configuration: the built-in defaults, over them the home's file, over it `DROVER_<SECTION>_<SETTING>` of the
 * environment, over it `flags` by key (`{ "daemon.port": 0 }`). A missing file is an empty one. Throws `invalid` with
 * every problem found in `details.issues`, and a message for a terminal.
 */
export function loadConfig(from: { globalFile: string; env: Environment; flags?: Readonly<Record<string, unknown>> }): LoadedConfig {
  const { globalFile, env, flags = {} } = from;
  const text = readConfigText(globalFile);
  return configOf({ globalFile, text, env, upper: [environmentLayer(env), flagLayer(flags)] });
}

/** The configuration that a text would make as the home's file, without environment and flags. Throws like `loadConfig`. */
export function checkConfigText(globalFile: string, text: string, env: Environment): LoadedConfig {
  return configOf({ globalFile, text, env, upper: [] });
}

/**
 * Loads a project's configuration: its file between the home's file and the environment. It can only tighten limits, and
 * settings of the whole daemon have no effect in it; both are warned of. Throws like `loadConfig`.
 */
export function loadProjectConfig(global: LoadedConfig, projectFile: string): LoadedProjectConfig {
  return checkProjectText(global, projectFile, readConfigText(projectFile));
}

/** The configuration that a text would make as a project's file. Throws like `loadConfig`. */
export function checkProjectText(global: LoadedConfig, projectFile: string, text: string | undefined): LoadedProjectConfig {
  const { layers, env } = global.source;
  if (text === undefined) return projectConfigOf(projectFile, layers, []);
  const mayUse = (variable: string) => global.config.daemon.projectVariables.includes(variable);
  const written = fileLayer("project file", projectFile, text, env, mayUse);
  const lower = layers.filter((layer) => layer.origin === "global file");
  const upper = layers.filter((layer) => layer.origin !== "global file");
  const own = withoutGlobalSettings(written);
  // Checked before limits are compared, so that these are numbers.
  checkLayers([...lower, own.layer, ...upper]);
  const tightened = withoutLooserLimits(own.layer, lower);
  return projectConfigOf(projectFile, [...lower, tightened.layer, ...upper], [...own.warnings, ...tightened.warnings]);
}

function configOf(from: { globalFile: string; text: string | undefined; env: Environment; upper: Layer[] }): LoadedConfig {
  const { globalFile, text, env, upper } = from;
  const file = text === undefined ? [] : [fileLayer("global file", globalFile, text, env, () => true)];
  const layers = [...file, ...upper];
  const config = checkLayers(layers);
  return { config, file: globalFile, text, settings: () => settingsOf(config, layers), source: { layers, env } };
}

function projectConfigOf(file: string, layers: readonly Layer[], warnings: readonly string[]): LoadedProjectConfig {
  const whole = checkLayers(layers);
  const config = Object.fromEntries(projectSections.map((section) => [section, whole[section]])) as ProjectConfig;
  return { config: Object.freeze(config), file, warnings, settings: () => settingsOf(whole, layers) };
}

function settingsOf(config: Config, layers: readonly Layer[]): Setting[] {
  return settingSchemas
    .flatMap(({ path }) => leavesOf(path, valueAt(config, path)))
    .map(({ path, value }) => {
      const layer = layers.findLast((one) => has(one.values, path));
      return { key: keyOf(path), value, origin: layer?.origin ?? "default", place: layer?.placeOf(path) ?? null };
    });
}

/** A setting itself, or where it is a mapping with members (`agents`) each of theirs. */
function leavesOf(path: Path, value: unknown): { path: Path; value: unknown }[] {
  if (!isMapping(schemaAt(path)) || !isTree(value) || Object.keys(value).length === 0) return [{ path, value }];
  return Object.entries(value).flatMap(([name, member]) => leavesOf([...path, name], member));
}

/** What a project's file may not decide, taken out of it, and a warning for each. */
function withoutGlobalSettings(layer: Layer): { layer: Layer; warnings: string[] } {
  const misplaced = globalSettingsIn(layer.values, []);
  return {
    layer: { ...layer, values: misplaced.reduce(without, layer.values) },
    warnings: misplaced.map((path) =>
      warning(layer, path, `${keyOf(path)} is a setting of the whole daemon and has no effect in a project's file.`),
    ),
  };
}

/** The places of what only the home's file may say; of a section that is global as a whole each of its settings. */
function globalSettingsIn(values: Tree, around: readonly string[], isGlobal = false): string[][] {
  return Object.entries(values).flatMap(([name, value]) => {
    const path = [...around, name];
    const isItGlobal = isGlobal || schemaAt(path)?.scope === "global";
    if (isTree(value) && (path.length === 1 || !isItGlobal)) return globalSettingsIn(value, path, isItGlobal);
    return isItGlobal ? [path] : [];
  });
}

/** Limits above those of the lower layers, and ways out of a confinement, taken out of a project's file, and a warning for each. */
function withoutLooserLimits(layer: Layer, lower: readonly Layer[]): { layer: Layer; warnings: string[] } {
  const bounds = mergeLayers(lower);
  const limits = settingSchemas.filter(({ node, path }) => node.tighten !== undefined && has(layer.values, path));
  const looser = limits.filter(({ node, path }) => isLooser(node, valueAt(layer.values, path), valueAt(bounds, path)));
  return {
    layer: { ...layer, values: looser.reduce((values, { path }) => without(values, path), layer.values) },
    warnings: looser.map(({ key, node, path }) => {
      const [wanted, bound] = [layer.values, bounds].map((values) => shown(valueAt(values, path)));
      const why = node.tighten === "min" ? `above the limit of ${bound}` : `which confines less than ${bound}`;
      return warning(layer, path, `${key} is ${wanted}, ${why}, which stays.`);
    }),
  };
}

function isLooser(node: SchemaNode, value: unknown, bound: unknown): boolean {
  if (node.tighten === "min") return limitOf(value) > limitOf(bound);
  const confines = (name: unknown) => confiningIsolations.some((one) => one === name);
  return confines(bound) && !confines(value);
}

/** Null is no limit at all. */
function limitOf(value: unknown): number {
  return value === null ? Infinity : Number(value);
}

function warning(layer: Layer, path: Path, message: string): string {
  return problemLine(layer.problem(path, message, true));
}
