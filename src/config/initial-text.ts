import { Document, isMap, isScalar, type Pair } from "yaml";
import { Config } from "../contract/config.ts";
import { describeChoices, schema, type SchemaNode } from "./schema.ts";

const HEADER = ` The settings of Drover on this machine, all at their defaults. A project's own are in its .drover/config.yaml.
 Each can be set for one start by DROVER_<SECTION>_<SETTING>, such as DROVER_DAEMON_PORT=4000. \${NAME} in a text is the
 environment variable of that name.`;

/** A home's file with every setting at its default and what it means above it. */
export function initialConfigText(): string {
  const document = new Document(Config.parse({}));
  document.commentBefore = HEADER;
  explain(document.contents, schema);
  for (const { key } of itemsOf(document.contents).slice(1)) if (isScalar(key)) key.spaceBefore = true;
  return document.toString({ lineWidth: 0 });
}

function explain(contents: unknown, { properties = {} }: SchemaNode): void {
  for (const { key, value } of itemsOf(contents)) {
    const node = isScalar(key) ? properties[String(key.value)] : undefined;
    if (!isScalar(key) || node === undefined) continue;
    const choices = describeChoices(node);
    key.commentBefore = ` ${node.description ?? ""}${choices === undefined ? "" : ` (${choices})`}`;
    explain(value, node);
  }
}

function itemsOf(contents: unknown): readonly Pair[] {
  return isMap(contents) ? contents.items : [];
}
