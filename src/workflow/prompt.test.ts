import { expect, test } from "vitest";
import { createPromptRenderer, sampleData, type PromptData } from "./prompt.ts";
import { resolveWorkflows } from "./resolve.ts";
import { builtinFolder, readWorkflowFolder } from "./sources.ts";

const builtin = resolveWorkflows([readWorkflowFolder(builtinFolder)]).map(({ workflow, error }) => {
  if (error) throw error;
  return workflow;
});
const issue = builtin.find(({ name }) => name === "issue");
if (!issue) throw new Error("There is no workflow issue.");
const implement = issue.stages[0]?.prompt ?? "";

const data: PromptData = {
  ...sampleData(issue, 0, false),
  project: "api",
  baseCommit: "abc123",
  title: "Sum is wrong",
  body: "It says 5.",
  mark: "k3j9",
  checks: ["npm test"],
};

test("every built-in stage renders its prompts with the request between its marks", () => {
  const render = createPromptRenderer();
  for (const workflow of builtin) {
    for (const [index, stage] of workflow.stages.entries()) {
      const own = { ...sampleData(workflow, index, true), title: "Sum is wrong", body: "It says 5.", mark: "k3j9" };
      expect(render(workflow, stage.prompt, own)).toContain(
        "--- request k3j9 ---\nSum is wrong\n\nIt says 5.\n--- end of request k3j9 ---",
      );
      if (stage.followUp)
        expect(render(workflow, stage.followUp, { ...own, failure: "npm test: 1 new failure" })).toContain(
          "--- what the checks said k3j9 ---\nnpm test: 1 new failure\n--- end of what the checks said k3j9 ---",
        );
    }
  }
});

test("text that looks like a template comes out byte for byte", () => {
  const hostile = "{{project}} {{#each this}}{{/each}} {{{constructor}}} {{> request}} __proto__ <b>&amp;</b> \u{1f600}\u6f22";
  const prompt = createPromptRenderer()(issue, implement, { ...data, title: hostile, body: hostile, instructions: hostile });
  expect(prompt.split(hostile)).toHaveLength(4);
});

test("instructions, skills, checks, language and an earlier attempt appear only when there are any", () => {
  const render = createPromptRenderer();
  expect(render(issue, implement, data)).not.toMatch(/owner of the project|Further knowledge|earlier attempt|Japanese/);
  const full = render(issue, implement, {
    ...data,
    instructions: "Use tabs.",
    skills: ["/x/.drover/skills/db.md"],
    language: "Japanese",
    earlier: "timed out",
  });
  for (const part of ["Use tabs.", "- /x/.drover/skills/db.md", ", in Japanese.", "ended with: timed out", "  - `npm test`"]) {
    expect(full).toContain(part);
  }
});

test("helpers, and what a template can name of a task", () => {
  const workflow = { ...issue, partials: { sign: "{{project}}!" } };
  const template = `{{#if (eq attempt 1)}}first{{/if}} {{join checks " && "}} {{indent "a\nb" 4}} {{json parameters}} {{> sign}} {{issue.title}} {{outputs.plan}}`;
  const own = { ...data, parameters: { tone: "kind" }, outputs: { plan: "Do it." } };
  expect(createPromptRenderer()(workflow, template, own)).toBe(
    [
      "first npm test     a\n    b",
      '{\n  "tone": "kind"\n} api! --- title k3j9 ---\nSum is wrong\n--- end of title k3j9 ---',
      "--- report of plan k3j9 ---\nDo it.\n--- end of report of plan k3j9 ---\n",
    ].join(" "),
  );
});

test.each([
  "{{nothing}}",
  "{{title}}",
  "{{body}}",
  "{{lookup this 'project'}}",
  "{{log project}}",
  "{{helperMissing}}",
  "{{project.constructor.name}}",
])("%s is out of a template's reach", (template) => {
  const render = createPromptRenderer();
  expect(() => render(issue, template, data)).toThrow(/^A prompt of the workflow issue can't be written/);
});
