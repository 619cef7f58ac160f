import type { Problem } from "./problem.ts";
import { accepts, keyOf, type Path, type SchemaNode, schemaAt } from "./schema.ts";
import { mapTexts, type Tree } from "./tree.ts";
import { parseYamlValue } from "./yaml-text.ts";

/** The environment as the daemon or the CLI got it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What a text from the environment or the command line means for a setting: the text itself where text is allowed,
 * otherwise a value in YAML (`4`, `true`, `[a, b]`). Throws `invalid` when that is broken; the range is checked later.
 */
export function valueFromText(node: SchemaNode, text: string, place: string): unknown {
  if (text === "null" && accepts(node, "null")) return null;
  return accepts(node, "string") ? text : parseYamlValue(place, text);
}

/**
 * Puts the environment's values in place of `${NAME}` in every text of a file; `$${NAME}` stays as `${NAME}`. What is put
 * in stays text and is never read as YAML; only where a setting takes no text, a number or true or false is made of it.
 * `mayUse` says which variables this file may read.
 */
export function substitute(
  values: Tree,
  env: Environment,
  mayUse: (variable: string) => boolean,
  problemAt: (path: Path, message: string) => Problem,
): { values: Tree; problems: Problem[] } {
  const problems: Problem[] = [];
  const substituted = mapTexts(values, [], (text, path) => {
    const refusal = (variable: string): string | undefined => {
      if (!mayUse(variable))
        return `${keyOf(path)} uses \${${variable}}, which a project's file may not read. Name it in daemon.projectVariables of the home's file, or write $\${${variable}} to leave it to the shell.`;
      if (env[variable] === undefined) return `${keyOf(path)} uses \${${variable}}, which is not set in the environment.`;
      return undefined;
    };
    const replaced = text.replace(/\$(\$?)\{([A-Z_][A-Z0-9_]*)\}/g, (written, escape: string, variable: string) => {
      if (escape !== "") return written.slice(1);
      const problem = refusal(variable);
      if (problem !== undefined) problems.push(problemAt(path, problem));
      return env[variable] ?? "";
    });
    return replaced === text ? text : typed(replaced, schemaAt(path));
  }) as Tree;
  return { values: substituted, problems };
}

function typed(text: string, node: SchemaNode | undefined): unknown {
  if (node === undefined || accepts(node, "string")) return text;
  if (accepts(node, "boolean") && (text === "true" || text === "false")) return text === "true";
  if (accepts(node, "number") && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  return text;
}
