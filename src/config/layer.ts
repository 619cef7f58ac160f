import type { ConfigOrigin } from "../contract/config.ts";
import { upgradeFormat } from "./format.ts";
import { configError, type Problem } from "./problem.ts";
import { keyOf, type Path, sections, settingSchemas } from "./schema.ts";
import { nearest } from "./suggestion.ts";
import { type Environment, substitute, valueFromText } from "./text-value.ts";
import { merge, type Tree, treeOf, valueAt } from "./tree.ts";
import { parseYaml } from "./yaml-text.ts";

/** The settings that come from one source. Later layers win over earlier ones. */
export interface Layer {
  readonly origin: ConfigOrigin;
  readonly values: Tree;
  /** The file or the environment variable that gives the value at a path. */
  placeOf(path: Path): string | null;
  /** The value at a path as somebody wrote it, before variables were put in. */
  writtenAt(path: Path): unknown;
  /** A problem with the value at the path; with `ofName`, with its name. */
  problem(path: Path, message: string, ofName?: boolean): Problem;
}

/**
 * The settings of a file's text. `mayUse` says which variables it may put into its values. Throws `invalid` when it is
 * no YAML, of an unknown format, or uses variables that it cannot have; whether the settings are right is checked later.
 */
export function fileLayer(
  origin: "global file" | "project file",
  file: string,
  text: string,
  env: Environment,
  mayUse: (variable: string) => boolean,
): Layer {
  const yaml = parseYaml(file, text);
  upgradeFormat(file, yaml);
  const written = withoutEmptySections(yaml.values());
  const problem: Layer["problem"] = (path, message, ofName = false) => ({
    path: keyOf(path),
    place: file,
    ...(ofName ? yaml.locateKey(path) : yaml.locate(path)),
    message,
  });
  const { values, problems } = substitute(written, env, mayUse, problem);
  if (problems.length > 0) throw configError(problems);
  return { origin, values, placeOf: () => file, writtenAt: (path) => valueAt(written, path), problem };
}

/**
 * The settings of `DROVER_<SECTION>_<SETTING>`, in whatever case; an empty one counts as not set. Variables that begin
 * otherwise are not ours to judge. Throws `invalid` for an unknown setting of a section, and for broken YAML.
 */
export function environmentLayer(env: Environment): Layer {
  const known = new Map(settingSchemas.map((setting) => [setting.path.join("_").toLowerCase(), setting]));
  const places = new Map<string, string>();
  const problems: Problem[] = [];
  let values: Tree = {};
  for (const [variable, text] of Object.entries(env)) {
    const name = /^drover_(.+)$/i.exec(variable)?.[1]?.toLowerCase();
    if (name === undefined || text === undefined || text === "") continue;
    const setting = known.get(name);
    if (setting !== undefined) {
      values = merge(values, treeOf(setting.path, valueFromText(setting.node, text, variable)));
      places.set(setting.key, variable);
    } else if (Object.keys(sections).some((section) => name.startsWith(`${section}_`))) {
      const names = nearest(name, [...known.keys()]).map((near) => `DROVER_${near.toUpperCase()}`);
      const message = `${variable} names no setting.${names.length > 0 ? ` Did you mean ${names.join(" or ")}?` : ""}`;
      problems.push({ path: "", place: variable, line: null, column: null, message });
    }
  }
  if (problems.length > 0) throw configError(problems);
  // A variable gives a setting with all that is in it.
  return plainLayer("environment", values, (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const place = places.get(keyOf(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return null;
  });
}

/** Settings by key, `{ "daemon.port": 0 }`, given on the command line or by a test. Texts are read like the environment's. */
export function flagLayer(flags: Readonly<Record<string, unknown>>): Layer {
  const values = Object.entries(flags).reduce<Tree>((tree, [key, value]) => {
    const setting = settingSchemas.find((one) => one.key === key);
    const given = typeof value === "string" && setting !== undefined ? valueFromText(setting.node, value, key) : value;
    return merge(tree, treeOf(key.split("."), given));
  }, {});
  return plainLayer("flag", values, () => null);
}

function plainLayer(origin: ConfigOrigin, values: Tree, placeOf: Layer["placeOf"]): Layer {
  return {
    origin,
    values,
    placeOf,
    writtenAt: (path) => valueAt(values, path),
    problem: (path, message) => ({ path: keyOf(path), place: placeOf(path), line: null, column: null, message }),
  };
}

/** A section whose settings are all commented out is null in YAML; it is meant to be empty. */
function withoutEmptySections(values: Tree): Tree {
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== null || !Object.hasOwn(sections, name)));
}
