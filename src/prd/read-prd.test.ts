import { expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { previewPasses } from "../domain/decomposition.ts";
import { readPrd } from "./read-prd.ts";
import { prdTemplates } from "./template.ts";

/** What is said of a PRD that is refused. */
function refusalOf(file: string, text: string): string {
  try {
    readPrd(file, text);
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "invalid") return thrown.message;
    throw thrown;
  }
  throw new Error(`${file} was taken.`);
}

test("the same PRD in three forms is the same value, and a template has no fault", () => {
  const [markdown, yaml, json] = [
    readPrd("a.md", prdTemplates.md),
    readPrd("a.yaml", prdTemplates.yaml),
    readPrd("a.json", prdTemplates.json),
  ].map((prd) => JSON.stringify(prd));
  expect([markdown, yaml]).toEqual([json, json]);
  expect(previewPasses(readPrd("a.md", prdTemplates.md)).flatMap(({ findings }) => findings)).toEqual([]);
  expect(readPrd("a.MD", `\ufeff${prdTemplates.md.replaceAll("\n", "\r\n")}`)).toEqual(readPrd("a.md", prdTemplates.md));
});

test("Markdown in a PRD that is no part of its form stays text", () => {
  const text = [
    "# Title",
    "Why.",
    "",
    "- a list",
    "",
    "```md",
    "## no feature",
    "```",
    "## Feature",
    "### R1: One",
    "- not a criterion",
    "#### deeper",
    "Acceptance:",
    "* [x] a criterion that",
    "  goes on",
    "### R2: Two",
    "After: R1",
  ].join("\n");
  expect(readPrd("a.md", text)).toEqual({
    title: "Title",
    summary: "Why.\n\n- a list\n\n```md\n## no feature\n```",
    constraints: [],
    outOfScope: [],
    features: [
      {
        name: "Feature",
        description: "",
        requirements: [
          { id: "R1", title: "One", description: "- not a criterion\n#### deeper", acceptance: ["a criterion that goes on"], after: [] },
          { id: "R2", title: "Two", description: "", acceptance: [], after: ["R1"] },
        ],
      },
    ],
  });
});

test("each fault is told with its file, line and key, and what is allowed", () => {
  expect(refusalOf("a.md", "---\ntitel: x\n---\n# T\n## F\n### R1: a\nAfter: R9\n### R1 b\n")).toBe(
    [
      "The PRD has 2 problems:",
      "  a.md:2: titel does not belong into the front matter. Allowed: title, constraints, outOfScope.",
      "  a.md:8: The heading of a requirement is its id and its title: `### R1: Sums are right`.",
    ].join("\n"),
  );
  expect(refusalOf("a.md", "---\ntitle: x\n---\n# T\n## F\n### R1: a\nAcceptance:\n- one\nno list\n# Again\n")).toBe(
    [
      "The PRD has 3 problems:",
      "  a.md:9: Under `Acceptance:` stands a list, a criterion each: `- 1 and 2 make 3`.",
      "  a.md:10: There is one `# Title`, at the top.",
      "  a.md:4: The title is in the front matter already.",
    ].join("\n"),
  );
  expect(refusalOf("a.md", "# T\n### R1: a\n")).toContain("a.md:2: A requirement stands under a feature");
  expect(refusalOf("a.md", "Only words.\n")).toContain("a.md:1: title is missing.");
  expect(refusalOf("a.yaml", "title: x\nfeatures:\n - name: F\n   requirements:\n    - id: R1\n      titel: a\n")).toBe(
    [
      "The PRD has 2 problems:",
      "  a.yaml:5: features[0].requirements[0].title is missing.",
      "  a.yaml:6: features[0].requirements[0].titel is no key of a PRD. Did you mean title? Allowed: id, title, description, acceptance, after.",
    ].join("\n"),
  );
  expect(refusalOf("a.json", '{"title": "x",\n "features": [}')).toMatch(/a\.json:2:\d+: /);
  expect(refusalOf("a.json", "title: x")).toContain("a.json: This is not valid JSON.");
  expect(refusalOf("a.yaml", "- a list\n")).toContain("a.yaml:1: This must hold keys with values");
  expect(refusalOf("a.txt", "x")).toBe('"a.txt" is no PRD by its name. Allowed: .md, .markdown, .yaml, .yml, .json.');
});

const twoRequirements = (first: string, second: string) => `# T\n## F\n### R1: One\n${first}\n### R2: Two\n${second}\n`;

test.each([
  ["ids that come twice", "a.md", "# T\n## F\n### R1: One\n### R1: Two\n", "a.md:4: There are two requirements R1."],
  [
    "an id that is not there",
    "a.md",
    twoRequirements("After: R9", ""),
    "a.md:4: R1 comes after R9, and there is no requirement of that id.",
  ],
  ["a circle", "a.md", twoRequirements("After: R2", "After: R1"), "a.md:4: These requirements wait for each other: R1 -> R2 -> R1."],
  ["a path for an id", "a.md", "# T\n## F\n### ../../etc/passwd: One\n", 'a.md:3: features[0].requirements[0].id is "../../etc/passwd"'],
  ["ANSI", "a.md", "# T\u001b[2J\u001b]0;owned\u0007\n## F\n### R1: One\n", "a.md:1: title holds characters that hide text"],
  ["text that hides", "a.yaml", "title: a\u202eb\nfeatures: []\n", "a.yaml:1: title holds characters that hide text"],
  ["a bomb of aliases", "a.yaml", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "Aliases are not supported"],
  ["the same in front matter", "a.md", "---\nconstraints: &a [x]\noutOfScope: *a\n---\n# T\n", "a.md:3:13: Aliases are not supported"],
  ["a tag", "a.yaml", "title: !!js/function 'x'\n", "a.yaml:1"],
  ["a name of every object", "a.yaml", "__proto__: {title: x}\n", "__proto__ cannot be the name of a setting"],
  ["too much", "a.md", `# T\n${"x".repeat(200_001)}`, "This is longer than 200000 characters."],
])("a PRD with %s is refused", (_what, file, text, said) => {
  expect(refusalOf(file, text)).toContain(said);
});

test("what looks like a template or a command is text", () => {
  const hostile = "{{constructor.constructor('return process')()}} $(touch /tmp/x) `id` <script>";
  const prd = readPrd("a.md", `# ${hostile}\n## F\n### R1: ${hostile}\n`);
  expect([prd.title, prd.features[0]?.requirements[0]?.title]).toEqual([hostile, hostile]);
});
