import { AppError, messageOf } from "../base/errors.ts";
import type { Problem } from "../config/problem.ts";
import { isTree } from "../config/tree.ts";
import { parseYaml, parseYamlValue } from "../config/yaml-text.ts";
import { prdError } from "./fault.ts";
import type { PrdSource } from "./source.ts";

/** A PRD in YAML. What a PRD has no need of but an attacker has is refused: aliases, tags, deep nesting. */
export function yamlPrd(file: string, text: string): PrdSource {
  return { file, ...harmlessYaml(file, text, 0) };
}

/** A PRD in JSON. Read as YAML, which JSON is, to know where things stand; what is YAML and no JSON is refused. */
export function jsonPrd(file: string, text: string): PrdSource {
  // Between values, YAML takes no tabs that JSON does. In a text JSON has none.
  const source = yamlPrd(file, text.replaceAll("\t", "  "));
  try {
    JSON.parse(text);
  } catch (thrown) {
    throw prdError([{ path: "", place: file, line: null, column: null, message: `This is not valid JSON. ${messageOf(thrown)}.` }]);
  }
  return source;
}

/** The values of a YAML mapping that begins `above` lines below the top of its file. */
export function harmlessYaml(file: string, text: string, above: number): Omit<PrdSource, "file"> {
  try {
    if (text.trim() !== "" && !isTree(parseYamlValue(file, text))) {
      throw prdError([
        { path: "", place: file, line: above + 1, column: null, message: "This must hold keys with values, such as `title: Sums`." },
      ]);
    }
    const yaml = parseYaml(file, text);
    return { values: yaml.values(), lineOf: (path) => yaml.locate(path).line + above };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    const found = (thrown.details["issues"] ?? []) as readonly Problem[];
    throw prdError(found.map((problem) => ({ ...problem, line: problem.line === null ? null : problem.line + above })));
  }
}
