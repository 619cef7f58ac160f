import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { configError, type Problem } from "./problem.ts";
import { keyOf, type Path } from "./schema.ts";
import type { Tree } from "./tree.ts";

/** A YAML text that was found harmless: its values, and where each of them stands. */
export interface YamlText {
  /** With comments and the order of keys; what is changed here shows in `values` and `locate`. */
  readonly document: Document;
  values(): Tree;
  /** Where the value at the path stands, or else the nearest mapping or list around it. */
  locate(path: Path): Location;
  /** Where the name of the value at the path stands. */
  locateKey(path: Path): Location;
}

/** Both count from 1. */
interface Location {
  readonly line: number;
  readonly column: number;
}

const DEPTH_MAX = 16;
const FAULTS_MAX = 20;
/** Names that mean something to every JavaScript object. None of them is a setting. */
const REFUSED_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads a YAML text; `place` names it in messages. Throws `invalid` with every problem found: broken syntax, keys that
 * come twice, and what a configuration has no need of but an attacker has: aliases (and so "billion laughs"), tags, deep
 * nesting, keys such as `__proto__`. Merge keys are keys like any other, and so unknown.
 */
export function parseYaml(place: string, text: string): YamlText {
  const { document, locationAt } = parseHarmless(place, text);
  if (isScalar(document.contents) && document.contents.value === null) document.contents = null;
  if (document.contents !== null && !isMap(document.contents)) {
    const message = "This must hold settings, such as `daemon: { port: 3003 }`.";
    throw configError([{ path: "", place, line: 1, column: 1, message }]);
  }
  return {
    document,
    values: () => (document.toJS({ maxAliasCount: 0 }) ?? {}) as Tree,
    locate: (path) => locationAt(offsetOf(document.contents, path).value),
    locateKey: (path) => locationAt(offsetOf(document.contents, path).key),
  };
}

/** Reads one value in YAML, as a person writes it on a command line: `4`, `[a, b]`. Throws like `parseYaml`. */
export function parseYamlValue(place: string, text: string): unknown {
  return parseHarmless(place, text).document.toJS({ maxAliasCount: 0 });
}

function parseHarmless(place: string, text: string): { document: Document; locationAt: (offset: number) => Location } {
  const lines = new LineCounter();
  // uniqueKeys and prettyErrors of the library take quadratic time, so both are done here.
  const document = parseDocument(text, {
    lineCounter: lines,
    schema: "core",
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "error",
  });
  const locationAt = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problemAt = (offset: number, path: Path, message: string): Problem => ({
    path: keyOf(path),
    place,
    ...locationAt(offset),
    message,
  });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    // Further ones in the same line are mostly consequences of the first.
    const firstByLine = new Map(faults.toReversed().map((fault) => [locationAt(fault.pos[0]).line, fault]));
    const shown = [...firstByLine.values()].toReversed().slice(0, FAULTS_MAX);
    throw configError(shown.map(({ pos, message }) => problemAt(pos[0], [], `This is not valid YAML. ${message}.`)));
  }
  const harms = findHarms(document.contents, [], 0);
  if (harms.length > 0) throw configError(harms.map((harm) => problemAt(harm.offset, harm.path, harm.message)));
  return { document, locationAt };
}

interface Harm {
  readonly offset: number;
  readonly path: Path;
  readonly message: string;
}

/** What is wrong with a node and all in it. `offset` is for a node that has none of its own, such as a value left empty. */
function findHarms(node: unknown, path: Path, around: number): Harm[] {
  const offset = startOf(node) ?? around;
  if (isAlias(node)) return [{ offset, path, message: "Aliases are not supported: write the value out." }];
  if (!isMap(node) && !isSeq(node)) return [];
  if (path.length >= DEPTH_MAX) return [{ offset, path: [], message: `This is nested deeper than ${DEPTH_MAX} levels.` }];
  if (isSeq(node)) return node.items.flatMap((item, index) => findHarms(item, [...path, index], offset));
  const names = new Set<string>();
  return node.items.flatMap((pair) => {
    const name = nameOf(pair.key);
    const at = startOf(pair.key) ?? offset;
    if (REFUSED_KEYS.has(name)) return [{ offset: at, path, message: `${name} cannot be the name of a setting.` }];
    if (names.has(name)) return [{ offset: at, path: [...path, name], message: `${name} is given twice.` }];
    names.add(name);
    return findHarms(pair.value, [...path, name], at);
  });
}

/** Where the value at the path begins and where its name does; the nearest node around it where there is none. */
function offsetOf(contents: unknown, path: Path): { key: number; value: number } {
  let node = contents;
  let found = { key: startOf(node) ?? 0, value: startOf(node) ?? 0 };
  for (const step of path) {
    const item: unknown = isSeq(node)
      ? node.items[Number(step)]
      : isMap(node)
        ? node.items.find((pair) => nameOf(pair.key) === step)
        : undefined;
    if (item === undefined) break;
    const [key, value] = isPair(item) ? [item.key, item.value] : [item, item];
    const keyOffset = startOf(key) ?? found.value;
    found = { key: keyOffset, value: startOf(value) ?? keyOffset };
    node = value;
  }
  return found;
}

function nameOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : "";
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
