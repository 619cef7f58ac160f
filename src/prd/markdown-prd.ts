import type { Problem } from "../config/problem.ts";
import { keyOf, type Path } from "../config/schema.ts";
import { harmlessYaml } from "./data-prd.ts";
import { prdError } from "./fault.ts";
import type { PrdSource } from "./source.ts";

const FRONT_MATTER = /^---[ \t]*\n(?<text>[\s\S]*?)^---[ \t]*$\n?/mu;
const HEADING = /^(?<level>#{1,3})[ \t]+(?<text>.*?)[ \t]*#*[ \t]*$/u;
const REQUIREMENT = /^(?<id>[^\s:]+):[ \t]*(?<title>.+)$/u;
const AFTER = /^After:(?<ids>.*)$/u;
const ACCEPTANCE = /^Acceptance:[ \t]*$/u;
const BULLET = /^[-*][ \t]+(?:\[[ xX]\][ \t]+)?(?<text>.*)$/u;
const FENCE = /^ {0,3}(?<mark>`{3,}|~{3,})/u;

/**
 * A PRD in Markdown: front matter with `title`, `constraints` and `outOfScope`; the summary; `## Feature` with what it is;
 * `### R1: Requirement` with what is wanted, a line `After: R2, R3`, and a line `Acceptance:` with a list under it.
 * Everything else is text and stays as it is.
 */
export function markdownPrd(file: string, text: string): PrdSource {
  const front = text.startsWith("---") ? FRONT_MATTER.exec(text) : null;
  const matter = front?.index === 0 ? (front.groups?.["text"] ?? "") : "";
  const { values, lineOf } = harmlessYaml(file, matter, front?.index === 0 ? 1 : 0);
  const body = front?.index === 0 ? text.slice(front[0].length) : text;
  const reader = new MarkdownReader(file, text.slice(0, text.length - body.length).split("\n").length);
  const read = reader.read(body);
  if (read.title !== undefined && values["title"] !== undefined)
    reader.refuse("The title is in the front matter already.", reader.lineOf(["title"]));
  const faults = [...frontFaults(file, values, lineOf), ...reader.faults];
  if (faults.length > 0) throw prdError(faults);
  return {
    file,
    values: { ...values, ...(read.title !== undefined && { title: read.title }), summary: read.summary, features: read.features },
    lineOf: (path) => reader.lineOf(path) ?? lineOf(path),
  };
}

const FRONT_KEYS = ["title", "constraints", "outOfScope"];

function frontFaults(file: string, values: object, lineOf: PrdSource["lineOf"]): Problem[] {
  return Object.keys(values)
    .filter((key) => !FRONT_KEYS.includes(key))
    .map((key) => ({
      path: key,
      place: file,
      line: lineOf([key]),
      column: null,
      message: `${key} does not belong into the front matter. Allowed: ${FRONT_KEYS.join(", ")}.`,
    }));
}

interface ReadRequirement {
  readonly id: string;
  readonly title: string;
  description: string;
  readonly acceptance: string[];
  after: string[];
}

interface ReadFeature {
  readonly name: string;
  description: string;
  readonly requirements: ReadRequirement[];
}

/** Where the lines that are read go now. */
type Part = "summary" | "feature" | "requirement" | "acceptance";

class MarkdownReader {
  readonly faults: Problem[] = [];
  readonly #file: string;
  readonly #lines = new Map<string, number>();
  readonly #features: ReadFeature[] = [];
  #title: string | undefined;
  #summary = "";
  #part: Part = "summary";
  #fence: string | null = null;
  #line: number;

  /** @param firstLine of the body in its file. */
  constructor(file: string, firstLine: number) {
    this.#file = file;
    this.#line = firstLine;
  }

  read(body: string): { readonly title: string | undefined; readonly summary: string; readonly features: readonly ReadFeature[] } {
    for (const line of body.split("\n")) {
      this.#take(line);
      this.#line += 1;
    }
    return { title: this.#title, summary: this.#summary.trim(), features: this.#features };
  }

  refuse(message: string, line: number = this.#line): void {
    this.faults.push({ path: "", place: this.#file, line, column: null, message });
  }

  /** Of the thing at a path, or of the nearest around it; undefined: it is none of the body's. */
  lineOf(path: Path): number | undefined {
    for (let length = path.length; length > 0; length -= 1) {
      const line = this.#lines.get(keyOf(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  }

  #take(line: string): void {
    const mark = FENCE.exec(line)?.groups?.["mark"];
    const isCode = this.#fence !== null || mark !== undefined;
    if (this.#fence === null) this.#fence = mark ?? null;
    else if (mark !== undefined && line.trim() === mark && mark.startsWith(this.#fence)) this.#fence = null;
    if (isCode) return this.#takeText(line);
    const heading = HEADING.exec(line)?.groups;
    if (heading) return this.#takeHeading(heading["level"]?.length ?? 0, heading["text"] ?? "");
    const requirement = this.#requirement();
    const after = AFTER.exec(line)?.groups?.["ids"];
    if (requirement && after !== undefined) return this.#takeAfter(requirement, after);
    if (requirement && ACCEPTANCE.test(line)) {
      this.#note("acceptance");
      this.#part = "acceptance";
      return;
    }
    this.#takeText(line);
  }

  #takeHeading(level: number, text: string): void {
    if (level === 1) {
      if (this.#title !== undefined || this.#features.length > 0) return this.refuse("There is one `# Title`, at the top.");
      this.#title = text;
      this.#lines.set("title", this.#line);
    } else if (level === 2) {
      this.#features.push({ name: text, description: "", requirements: [] });
      this.#part = "feature";
      this.#lines.set(keyOf(["features", this.#features.length - 1]), this.#line);
    } else this.#takeRequirement(text);
  }

  #takeRequirement(text: string): void {
    const feature = this.#features.at(-1);
    if (feature === undefined) return this.refuse("A requirement stands under a feature: put `## Name of the feature` above it.");
    const { id, title } = REQUIREMENT.exec(text)?.groups ?? {};
    if (id === undefined || title === undefined)
      return this.refuse("The heading of a requirement is its id and its title: `### R1: Sums are right`.");
    feature.requirements.push({ id, title, description: "", acceptance: [], after: [] });
    this.#part = "requirement";
    this.#note();
  }

  #takeAfter(requirement: ReadRequirement, ids: string): void {
    requirement.after = ids
      .split(",")
      .map((id) => id.trim())
      .filter((id) => id !== "");
    this.#note("after");
  }

  #takeText(line: string): void {
    const requirement = this.#requirement();
    const feature = this.#features.at(-1);
    if (this.#part === "acceptance" && requirement) this.#takeCriterion(requirement, line);
    else if (this.#part === "requirement" && requirement) requirement.description = joined(requirement.description, line);
    else if (this.#part === "feature" && feature) feature.description = joined(feature.description, line);
    else this.#summary = joined(this.#summary, line);
  }

  #takeCriterion({ acceptance }: ReadRequirement, line: string): void {
    const text = BULLET.exec(line)?.groups?.["text"];
    if (text !== undefined) {
      acceptance.push(text.trim());
      this.#note("acceptance", acceptance.length - 1);
    } else if (/^\s+\S/u.test(line) && acceptance.length > 0) acceptance.push(`${acceptance.pop() ?? ""} ${line.trim()}`);
    else if (line.trim() !== "") this.refuse("Under `Acceptance:` stands a list, a criterion each: `- 1 and 2 make 3`.");
  }

  #requirement(): ReadRequirement | undefined {
    return this.#part === "requirement" || this.#part === "acceptance" ? this.#features.at(-1)?.requirements.at(-1) : undefined;
  }

  #note(...rest: Path): void {
    const feature = this.#features.length - 1;
    const requirement = (this.#features.at(-1)?.requirements.length ?? 0) - 1;
    this.#lines.set(keyOf(["features", feature, "requirements", requirement, ...rest]), this.#line);
  }
}

function joined(text: string, line: string): string {
  return text === "" ? line : `${text}\n${line}`;
}
