/**
 * Writes `docs/config.md`, the reference of all settings, and `docs/config.schema.json` for editors, both from the schema
 * in `src/contract/config.ts`. With `--check` it writes nothing and fails when they differ from what it would write.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { configJsonSchema, describeAllowed, type SchemaNode, sections } from "../src/config/schema.ts";

const INTRODUCTION = `# Configuration

Generated from \`src/contract/config.ts\`; [config.schema.json](config.schema.json) is the same for editors.

A setting comes from the last of these that has it:

1. its built-in default,
2. the home's file, \`~/.drover/config.yaml\`,
3. the project's file, \`.drover/config.yaml\` in its directory, for what is a project's to decide,
4. the environment: \`DROVER_<SECTION>_<SETTING>\` in whatever case, such as \`DROVER_DAEMON_MAXPROCESSES=4\`; an empty one counts as not set,
5. a flag of the command.

\`drover config show --origin\` names the one that won for each setting.

**Files.** Both are YAML 1.2 without tags, anchors and aliases, at most 256 KB. \`\${NAME}\` in a text is the environment
variable of that name (\`A-Z\`, \`0-9\` and \`_\`); one that is not set is an error, and \`$\${NAME}\` stays as \`\${NAME}\`. What is
put in stays text, whatever is in it. A project's file comes with its repository, so it may use only the variables named in
\`daemon.projectVariables\`, cannot raise a limit, and has no say in what is the whole machine's; what it asks for
beyond that is warned of and has no effect.

**Mistakes.** All mistakes of a file are reported at once, each with its line and column and what is allowed. A running daemon takes
over a changed file within a second; a wrong one changes nothing and is reported until it is right. The last ten accepted
versions of the home's file are kept in \`~/.drover/config-history/\`; \`drover config rollback\` goes back to the one before.

**Format.** \`version: 1\` is the format of the file. A file without it is read as an older one and brought up to date by the
first \`drover config set\`, which leaves the old one beside it as \`.bak\`.
`;

const documents: Readonly<Record<string, string>> = {
  "docs/config.md": reference(),
  "docs/config.schema.json": `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
};

if (process.argv.includes("--check")) {
  const stale = Object.keys(documents).filter((file) => contentOf(file) !== documents[file]);
  for (const file of stale) console.error(`${file} is not what src/contract/config.ts says. Run: node scripts/generate-config-docs.ts`);
  process.exitCode = stale.length > 0 ? 1 : 0;
} else {
  for (const [file, text] of Object.entries(documents)) writeFileSync(file, text);
}

function contentOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // A missing document is as stale as a wrong one.
    return undefined;
  }
}

function reference(): string {
  const parts = Object.entries(sections).map(([name, node]) => sectionReference(name, node));
  return `${INTRODUCTION}\n${parts.join("\n")}`;
}

function sectionReference(name: string, node: SchemaNode): string {
  const where = node.scope === "project" ? "In the home's file and in a project's own." : "In the home's file only.";
  return [`## ${name}`, "", `${node.description}. ${where}`, "", ...itemsOf(name, node), ""].join("\n");
}

function itemsOf(name: string, node: SchemaNode): string[] {
  if (node.properties !== undefined) return itemsIn(name, node);
  const [prefix, member] = node.items === undefined ? [`${name}.NAME`, node.additionalProperties || {}] : [`${name}[]`, node.items];
  const standard = node.default === undefined ? [] : [`Default: \`${JSON.stringify(node.default)}\`.`, ""];
  return [...standard, ...(member.properties === undefined ? [item(prefix, member, false)] : itemsIn(prefix, member))];
}

function itemsIn(prefix: string, { properties = {}, required = [] }: SchemaNode): string[] {
  return Object.entries(properties).flatMap(([name, setting]) => {
    const key = `${prefix}.${name}`;
    if (setting.properties !== undefined) return itemsIn(key, setting);
    return [item(key, setting, required.includes(name)), ...itemsIn(`${key}.NAME`, setting.additionalProperties || {})];
  });
}

function item(key: string, node: SchemaNode, isRequired: boolean): string {
  const facts = [
    describeAllowed(node),
    ...(isRequired ? ["required"] : []),
    ...(node.default === undefined ? [] : [`default \`${JSON.stringify(node.default)}\``]),
    ...(node.tighten === undefined ? [] : ["a project can only lower it"]),
    ...(node.needsRestart === undefined ? [] : ["takes effect when the daemon starts"]),
    ...(node.scope === "global" ? ["in the home's file only"] : []),
  ];
  return `- \`${key}\`: ${node.description}. _${capital(facts.join("; "))}._`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
