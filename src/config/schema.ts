import { z } from "zod";
import { Config } from "../contract/config.ts";
import type { ConfigScope } from "../contract/setting-meta.ts";

/** A place in the configuration: `["checks", 0, "command"]`, which people read as `checks[0].command`. */
export type Path = readonly (string | number)[];

/** One node of the schema: JSON Schema, and what `SettingMeta` adds to it. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly scope?: ConfigScope;
  readonly tighten?: "min" | "confined";
  readonly needsRestart?: true;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaNode[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: false | SchemaNode;
}

/** A setting that has a value of its own: a leaf of the schema. */
export interface SettingSchema {
  /** `daemon.maxProcesses`, `checks` */
  readonly key: string;
  readonly path: readonly string[];
  readonly scope: ConfigScope;
  readonly node: SchemaNode;
}

/** The schema as plain data, from which everything here reads: messages, the environment's names, the reference, editors. */
export const schema = z.toJSONSchema(Config, { io: "input" }) as SchemaNode;

const { version: _, ...others } = schema.properties ?? {};
/** The members of a file, besides its `version`. */
export const sections: Readonly<Record<string, SchemaNode>> = others;

/** Every setting in the order of the schema; `agents` and `checks`, whose members people make up, are one each. */
export const settingSchemas: readonly SettingSchema[] = Object.entries(sections).flatMap(([section, node]) =>
  leavesOf([section], node, node.scope ?? "global"),
);

function leavesOf(path: readonly string[], node: SchemaNode, around: ConfigScope): SettingSchema[] {
  const scope = node.scope ?? around;
  if (node.properties === undefined) return [{ key: keyOf(path), path, scope, node }];
  return Object.entries(node.properties).flatMap(([name, inner]) => leavesOf([...path, name], inner, scope));
}

/** The JSON Schema (draft 2020-12) of a configuration file, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(Config, {
    io: "input",
    override: ({ jsonSchema, path }) => {
      // Our own words, and the empty sections that only make them optional, mean nothing to an editor.
      delete jsonSchema["scope"];
      delete jsonSchema["tighten"];
      delete jsonSchema["needsRestart"];
      // An agent of a file may be one of a lower layer with another model.
      if (path.join(".") === "properties.agents.additionalProperties") delete jsonSchema.required;
      if (jsonSchema.type === "object" && Object.keys(jsonSchema.default ?? { none: true }).length === 0) delete jsonSchema.default;
    },
  });
}

/** The schema of what a path leads to; undefined when there is no such setting. */
export function schemaAt(path: Path): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>((node, step) => {
    if (typeof step === "number") return node?.items;
    if (node?.properties !== undefined && Object.hasOwn(node.properties, step)) return node.properties[step];
    return node?.additionalProperties || undefined;
  }, schema);
}

/** Whether a value of this schema is a mapping, whose members are settings themselves. */
export function isMapping(node: SchemaNode | undefined): boolean {
  return node?.type === "object";
}

/** Whether this schema takes values of a JSON type, alone or as one of several. */
export function accepts(node: SchemaNode, type: "string" | "number" | "boolean" | "null"): boolean {
  if (node.anyOf !== undefined) return node.anyOf.some((one) => accepts(one, type));
  return node.type === type || (type === "number" && node.type === "integer");
}

/** `checks[0].command`; the whole file is "". */
export function keyOf(path: Path): string {
  return path.reduce<string>((key, step) => (typeof step === "number" ? `${key}[${step}]` : key === "" ? step : `${key}.${step}`), "");
}

/** The choices or the range that a schema leaves, in short; undefined where its description says it all. */
export function describeChoices(node: SchemaNode): string | undefined {
  const one = node.anyOf?.[0] ?? node;
  if (one.enum !== undefined) return one.enum.join(", ");
  return one.type === "integer" || one.type === "number" ? describeRange(one).trim() || undefined : undefined;
}

/** What a schema allows, to follow "allowed: ". */
export function describeAllowed(node: SchemaNode): string {
  if (node.anyOf !== undefined) return node.anyOf.map(describeAllowed).join(" or ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return `one of ${node.enum.join(", ")}`;
  switch (node.type) {
    case "integer":
      return `a whole number${describeRange(node)}`;
    case "number":
      return `a number${describeRange(node)}`;
    case "boolean":
      return "true or false";
    case "string":
      return describeText(node);
    case "array":
      return `a list${node.minItems === undefined ? "" : ` of at least ${node.minItems}`}, each ${describeAllowed(node.items ?? {})}`;
    case "object":
      return node.properties === undefined ? "a mapping of names" : `a mapping of ${Object.keys(node.properties).join(", ")}`;
    default:
      return node.type ?? "anything";
  }
}

function describeRange({ minimum, maximum }: SchemaNode): string {
  const isBounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER) return isBounded ? ` up to ${maximum}` : "";
  return isBounded ? ` from ${minimum} to ${maximum}` : ` from ${minimum}`;
}

function describeText({ format, minLength, maxLength }: SchemaNode): string {
  if (format === "uri") return "a URL";
  if (maxLength !== undefined) return `text of ${minLength ?? 0} to ${maxLength} characters`;
  return minLength === undefined ? "text" : "text that is not empty";
}
