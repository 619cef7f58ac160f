import type { Path } from "./schema.ts";

/** Plain values as YAML gives them: mappings, lists and scalars. */
export interface Tree {
  readonly [key: string]: unknown;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The upper values over the lower ones. Mappings are merged member by member; lists and scalars are replaced whole. */
export function merge(lower: Tree, upper: Tree): Tree {
  const merged: Record<string, unknown> = { ...lower };
  for (const [key, value] of Object.entries(upper)) {
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? merge(below, value) : value;
  }
  return merged;
}

/** How many steps of the path lead to something. */
export function depthOf(tree: Tree, path: Path): number {
  let node: unknown = tree;
  for (const [depth, step] of path.entries()) {
    if (Array.isArray(node) ? Number(step) >= node.length : !isTree(node) || !Object.hasOwn(node, step)) return depth;
    node = (node as Record<string | number, unknown>)[step];
  }
  return path.length;
}

export function has(tree: Tree, path: Path): boolean {
  return depthOf(tree, path) === path.length;
}

/** The value at a path; undefined when there is none. */
export function valueAt(tree: Tree, path: Path): unknown {
  if (!has(tree, path)) return undefined;
  return path.reduce<unknown>((node, step) => (node as Record<string | number, unknown>)[step], tree);
}

/** A tree that holds this one value. */
export function treeOf(path: readonly string[], value: unknown): Tree {
  return path.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value) as Tree;
}

/** The tree without what is at the path. */
export function without(tree: Tree, [step, ...rest]: readonly string[]): Tree {
  if (step === undefined || !Object.hasOwn(tree, step)) return tree;
  const { [step]: value, ...others } = tree;
  return rest.length > 0 && isTree(value) ? { ...others, [step]: without(value, rest) } : others;
}

/** Every text in the value, replaced by what `replace` gives for it. */
export function mapTexts(value: unknown, path: Path, replace: (text: string, path: Path) => unknown): unknown {
  if (typeof value === "string") return replace(value, path);
  if (Array.isArray(value)) return value.map((item: unknown, index) => mapTexts(item, [...path, index], replace));
  if (!isTree(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, [...path, key], replace)]));
}

/** The same value; it and all in it can no longer be changed. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
