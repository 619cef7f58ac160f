import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { resolveWorkflows } from "./resolve.ts";
import { builtinFolder, readWorkflowFolder } from "./sources.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "drover-workflows-"));
});
afterEach(() => rmSync(home, { recursive: true }));

function write(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
}

/** The workflow of a name as the files make it, over those that come with Drover. Throws what is wrong with it. */
function resolve(name: string, files: Record<string, string>) {
  write(files);
  const folders = [readWorkflowFolder(builtinFolder), readWorkflowFolder(join(home, "workflows"), join(home, "WORKFLOW.md"))];
  const [problem] = folders[1]?.problems ?? [];
  if (problem) throw problem.error;
  const found = resolveWorkflows(folders).findLast(({ source }) => source.name === name);
  if (!found) throw new Error(`There is no ${name}.`);
  if (found.error) throw found.error;
  return found.workflow;
}

const stage = {
  agent: null,
  model: null,
  effort: null,
  kind: "worker",
  material: null,
  followUp: null,
  tools: null,
  checks: "project",
  checkFirst: false,
  cleanChecks: false,
  pass: null,
  gate: null,
  limits: {},
  loop: null,
  children: null,
  needs: [],
  approval: false,
  approvalMaxMs: null,
  onApprovalMax: null,
};

describe("what workflows are built from", () => {
  test("two levels of extends and a mixin: the later over the earlier, stages by their names and in their places", () => {
    const workflow = resolve("strict", {
      "workflows/base.yaml": `
name: base
abstract: true
description: The base
parameters: { tone: { default: kind } }
stages:
  - { name: plan, prompt: "Plan {{project}}.", yields: report }
  - { name: work, prompt: "Work.", yields: commit, limits: { attempts: 2, timeoutMs: 60000 } }
`,
      "workflows/cheap.yaml": "name: cheap\nabstract: true\nstages:\n  - { name: work, model: small, limits: { attempts: 1 } }\n",
      "workflows/middle.yaml":
        "name: middle\nextends: base\nmixins: [cheap]\nstages:\n  - { name: look, before: work, prompt: 'Look.', yields: report }\n",
      "workflows/strict.yaml":
        "name: strict\nextends: middle\ndescription: Strict\nstages:\n  - { name: plan, remove: true }\n  - { name: work, tools: [read], loop: { iterations: 3 } }\n  - { name: end, after: work, prompt: end.md, yields: report, approval: false }\n",
      "workflows/prompts/end.md": "End {{outputs.work}} {{> sign}}",
      "workflows/prompts/sign.md": "-- {{project}}",
    });
    expect(workflow).toEqual({
      name: "strict",
      description: "Strict",
      parameters: { tone: { description: "", default: "kind", allowed: null } },
      partials: { sign: "-- {{project}}" },
      stages: [
        { ...stage, name: "look", prompt: "Look.", yields: "report" },
        {
          ...stage,
          name: "work",
          prompt: "Work.",
          yields: "commit",
          model: "small",
          tools: ["read"],
          limits: { attempts: 1, timeoutMs: 60_000 },
          loop: { iterations: 3, unchanged: 3, timeMs: null },
        },
        { ...stage, name: "end", prompt: "End {{outputs.work}} {{> sign}}", yields: "report" },
      ],
    });
  });

  test("a workflow that extends its own name builds upon the one below", () => {
    const workflow = resolve("issue", {
      "workflows/issue.yaml": "name: issue\nextends: issue\nstages:\n  - { name: implement, model: large }\n",
    });
    expect(workflow.stages.map(({ name, model, yields }) => [name, model, yields])).toEqual([["implement", "large", "commit"]]);
    expect(workflow.partials["project"]).toContain("{{instructions}}");
  });

  test("a WORKFLOW.md of Symphony is a workflow of one stage", () => {
    const workflow = resolve("symphony", {
      "WORKFLOW.md": `---
tracker: { kind: linear }
codex: { turn_timeout_ms: 1200000, stall_timeout_ms: 90000 }
---
Do {{ issue.title }}.
{% if attempt %}Attempt {{ attempt }}.{% endif %}
{% for check in checks %}- {{ check }}
{% endfor %}
{{ issue.description }}
`,
    });
    expect(workflow.stages).toEqual([
      {
        ...stage,
        name: "implement",
        prompt:
          "Do {{ issue.title }}.\n{{#if attempt}}Attempt {{ attempt }}.{{/if}}\n{{#each checks as |check|}}- {{ check }}\n{{/each}}\n{{ issue.description }}\n",
        followUp: expect.stringContaining("The task is not done yet"),
        yields: "commit",
        limits: { runTimeoutMs: 1_200_000, timeoutMs: 90_000 },
      },
    ]);
  });
});

const one = (text: string) => ({ "workflows/x.yaml": text });
const good = "name: x\nstages:\n  - { name: a, prompt: 'A', yields: commit }\n";

test.each<[string, Record<string, string>, RegExp]>([
  [
    "an unknown key",
    one(`${good}  - name: b\n    promt: B\n    yields: commit\n`),
    /x\.yaml:5:12: stages\[1\]\.promt is not a setting of a workflow\. Did you mean prompt/,
  ],
  ["a wrong value", one(`${good}  - name: b\n    prompt: B\n    yields: money\n`), /x\.yaml:6:13: stages\[1\]\.yields is "money"/],
  [
    "a loop without end",
    one("name: x\nstages:\n  - name: a\n    prompt: A\n    yields: commit\n    loop:\n      iterations: 0\n"),
    /x\.yaml:7:19: stages\[0\]\.loop\.iterations is 0/,
  ],
  ["no name", one("stages: []\n"), /x\.yaml:1:1: A workflow needs a name, such as `name: x`/],
  ["no stage", one("name: x\nstages: []\n"), /stages is \[\]/],
  ["broken YAML", one("name: x\nstages: [\n"), /x\.yaml:3:1: This is not valid YAML/],
  ["an alias", one("name: &n x\nstages: *n\n"), /Aliases are not supported/],
  [
    "a circle",
    {
      "workflows/x.yaml": `${good}extends: y\n`,
      "workflows/y.yaml": "name: y\nextends: z\n",
      "workflows/z.yaml": "name: z\nmixins: [x]\n",
    },
    /in a circle: x -> y -> z -> x/,
  ],
  ["an unknown parent", one(`${good}extends: nope\n`), /There is no workflow "nope" to build upon\. There is: .*issue/],
  [
    "a place that is not there",
    one("name: x\nstages:\n  - { name: a, after: z, prompt: A, yields: commit }\n"),
    /"a" is to stand beside "z", which is not there/,
  ],
  [
    "two stages of a name",
    one("name: x\nextends: issue\nstages:\n  - { name: b, yields: tasks, prompt: B }\n"),
    /a stage that yields tasks needs `children`/,
  ],
  [
    "a loop of reports",
    one("name: x\nstages:\n  - { name: a, prompt: A, yields: report, loop: {} }\n"),
    /a report has no checks that could end a loop/,
  ],
  [
    "supervision that changes something",
    one("name: x\nstages:\n  - { name: a, prompt: A, yields: commit, kind: supervisory }\n"),
    /a supervisory agent changes nothing and files no tasks/,
  ],
  [
    "an approval of what finds no issue",
    one("name: x\nstages:\n  - { name: a, prompt: A, yields: report, approval: issue }\n"),
    /only a stage that yields a verdict finds an issue/,
  ],
  [
    "a missing template",
    one("name: x\nstages:\n  - { name: a, prompt: a.md, yields: commit }\n"),
    /There is no template a\.md: it would be a file of .*workflows\/prompts/,
  ],
  ["a missing partial", one("name: x\nstages:\n  - { name: a, prompt: '{{> b}}', yields: commit }\n"), /There is no template b\.md/],
  [
    "a variable that nothing gives",
    one("name: x\nstages:\n  - { name: a, prompt: '{{outputs.before}}', yields: commit }\n"),
    /A prompt of the workflow x can't be written: .*before/,
  ],
  [
    "a template that is none",
    one("name: x\nstages:\n  - { name: a, prompt: '{{#if}}', yields: commit }\n"),
    /x\.yaml, stage a: this is no template/,
  ],
  ["a helper of its own", one("name: x\nstages:\n  - { name: a, prompt: '{{exec project}}', yields: commit }\n"), /exec/],
  ["the request's raw text", one("name: x\nstages:\n  - { name: a, prompt: '{{body}}', yields: commit }\n"), /"body" not defined/],
  [
    "a prototype",
    one("name: x\nstages:\n  - { name: a, prompt: '{{project.constructor.constructor}}', yields: commit }\n"),
    /x\.yaml, stage a:1:3: constructor is out of a template's reach/,
  ],
  [
    "a prototype in a partial",
    {
      ...one("name: x\nstages:\n  - { name: a, prompt: '{{> b}}', yields: commit }\n"),
      "workflows/prompts/b.md": "\n{{#with this.__proto__}}{{/with}}",
    },
    /b\.md:2:9: __proto__ is out/,
  ],
  ["a decorator", one("name: x\nstages:\n  - { name: a, prompt: '{{* evil}}', yields: commit }\n"), /decorators are not allowed/],
  [
    "a computed partial",
    one("name: x\nstages:\n  - { name: a, prompt: '{{> (join checks)}}', yields: commit }\n"),
    /the name of a partial can't be computed/,
  ],
  [
    "the data's root",
    one("name: x\nstages:\n  - { name: a, prompt: '{{@partial-block}}{{@root.helpers}}', yields: commit }\n"),
    /@partial-block is not a variable of templates|not defined/,
  ],
  [
    "Liquid without a counterpart",
    { "WORKFLOW.md": "Do it.\n{% assign x = 1 %}\n" },
    /WORKFLOW\.md: `\{% assign x = 1 %\}` \(line 2 of the prompt\) has no counterpart here/,
  ],
])("%s is refused with its place", (_, files, message) => {
  expect(() => resolve("x", files)).toThrow(message);
});
