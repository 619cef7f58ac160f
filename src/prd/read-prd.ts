import { extname } from "node:path";
import { AppError } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import { shown, type Problem } from "../config/problem.ts";
import { keyOf, type Path } from "../config/schema.ts";
import { nearest } from "../config/suggestion.ts";
import { mapTexts, valueAt } from "../config/tree.ts";
import { Prd, PRD_MAX, type PrdFormat } from "../contract/prd.ts";
import { findCycle } from "../domain/dependencies.ts";
import { jsonPrd, yamlPrd } from "./data-prd.ts";
import { prdError } from "./fault.ts";
import { markdownPrd } from "./markdown-prd.ts";
import type { PrdSource } from "./source.ts";

const REQUIREMENTS_MAX = 500;

const formats: Readonly<Record<string, PrdFormat>> = { ".md": "md", ".markdown": "md", ".yaml": "yaml", ".yml": "yaml", ".json": "json" };
const readers = { md: markdownPrd, yaml: yamlPrd, json: jsonPrd } as const satisfies Record<
  PrdFormat,
  (file: string, text: string) => PrdSource
>;

/**
 * Reads a PRD. The form is that of the file's name, and the same PRD gives the same value in each. Throws `invalid` with all that
 * is wrong, each with its file, line and key.
 */
export function readPrd(file: string, written: string): Prd {
  const format = formats[extname(file).toLowerCase()];
  if (format === undefined)
    throw new AppError("invalid", `${shown(file)} is no PRD by its name. Allowed: ${Object.keys(formats).join(", ")}.`);
  const text = written.replace(/^\ufeff/u, "").replaceAll("\r\n", "\n");
  if (text.length > PRD_MAX)
    throw prdError([{ path: "", place: file, line: null, column: null, message: `This is longer than ${PRD_MAX} characters. Split it.` }]);
  const source = readers[format](file, text);
  const hidden = hiddenCharacters(source);
  if (hidden.length > 0) throw prdError(hidden);
  const parsed = Prd.safeParse(source.values);
  if (!parsed.success) throw prdError(parsed.error.issues.flatMap((issue) => problemsOf(issue, source)));
  const faults = tieFaults(parsed.data, source);
  if (faults.length > 0) throw prdError(faults);
  return parsed.data;
}

/** The same of a PRD that a task holds, as it was filed: JSON. */
export function readFiledPrd(text: string): Prd {
  return readPrd("the task's text.json", text);
}

function hiddenCharacters(source: PrdSource): Problem[] {
  const problems: Problem[] = [];
  mapTexts(source.values, [], (text, path) => {
    if (safeText(text) !== text)
      problems.push(problemAt(source, path, `${keyOf(path)} holds characters that hide text or that a terminal obeys. Take them out.`));
    return text;
  });
  return problems;
}

function problemsOf(issue: { path: PropertyKey[]; message: string; code?: string; keys?: string[] }, source: PrdSource): Problem[] {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") {
    return (issue.keys ?? []).map((key) => problemAt(source, [...path, key], unknownKey([...path, key])));
  }
  const value = valueAt(source.values, path);
  const message = value === undefined ? `${keyOf(path)} is missing.` : `${keyOf(path)} is ${shown(value)}: ${issue.message}.`;
  return [problemAt(source, path, message)];
}

/** The keys at each level, by the last name of the path to it. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  "": Object.keys(Prd.shape),
  features: Object.keys(Prd.shape.features.element.shape),
  requirements: Object.keys(Prd.shape.features.element.shape.requirements.element.shape),
};

function unknownKey(path: Path): string {
  const around = path.slice(0, -1).findLast((step) => typeof step === "string") ?? "";
  const allowed = KEYS[around] ?? [];
  const near = nearest(String(path.at(-1)), allowed);
  return `${keyOf(path)} is no key of a PRD. ${near.length > 0 ? `Did you mean ${near.join(" or ")}? ` : ""}Allowed: ${allowed.join(", ")}.`;
}

/** What no single value shows: ids that come twice, that are not there, or that go round in a circle. */
function tieFaults({ features }: Prd, source: PrdSource): Problem[] {
  const all = features.flatMap(({ requirements }, feature) =>
    requirements.map((requirement, index) => ({ requirement, path: ["features", feature, "requirements", index] as const })),
  );
  if (all.length > REQUIREMENTS_MAX)
    return [problemAt(source, ["features"], `The PRD has ${all.length} requirements. Allowed: ${REQUIREMENTS_MAX}. Split it.`)];
  const first = new Map(all.toReversed().map(({ requirement, path }) => [requirement.id, path]));
  const faults = all.flatMap(({ requirement: { id, after }, path }) => [
    ...(first.get(id) === path
      ? []
      : [problemAt(source, [...path, "id"], `There are two requirements ${id}. Give each an id of its own.`)]),
    ...after
      .filter((other) => !first.has(other))
      .map((other) => problemAt(source, [...path, "after"], `${id} comes after ${other}, and there is no requirement of that id.`)),
  ]);
  if (faults.length > 0) return faults;
  const cycle = findCycle(all.flatMap(({ requirement: { id, after } }) => after.map((other) => ({ task: id, dependsOn: other }))));
  if (cycle === undefined) return [];
  const [start = ""] = cycle;
  return [
    problemAt(source, [...(first.get(start) ?? []), "after"], `These requirements wait for each other: ${[...cycle, start].join(" -> ")}.`),
  ];
}

function problemAt({ file, lineOf }: PrdSource, path: Path, message: string): Problem {
  return { path: keyOf(path), place: file, line: lineOf(path), column: null, message };
}
