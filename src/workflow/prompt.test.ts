import { expect, test } from "vitest";
import { createPromptRenderer, type PromptData } from "./prompt.ts";
import { findStage, readWorkflows } from "./workflow.ts";

const data: PromptData = {
  project: "api",
  baseBranch: "main",
  baseCommit: "abc123",
  title: "Sum is wrong",
  body: "It says 5.",
  mark: "k3j9",
  checks: ["npm test"],
  instructions: "",
  skills: [],
  language: null,
  earlier: null,
  failure: null,
};

test("every built-in stage renders its prompts with the request between its marks", () => {
  const render = createPromptRenderer();
  for (const workflow of readWorkflows().values()) {
    for (const stage of workflow.stages) {
      const prompt = render(stage.prompt, data);
      expect(prompt).toContain("--- request k3j9 ---\nSum is wrong\n\nIt says 5.\n--- end of request k3j9 ---");
      if (stage.followUp)
        expect(render(stage.followUp, { ...data, failure: "npm test: 1 new failure" })).toContain("npm test: 1 new failure");
    }
  }
});

test("text that looks like a template comes out byte for byte", () => {
  const hostile = "{{project}} {{#each this}}{{/each}} {{{constructor}}} {{> request}} __proto__ <b>&amp;</b> \u{1f600}\u6f22";
  const prompt = createPromptRenderer()("implement.md", { ...data, title: hostile, body: hostile, instructions: hostile });
  expect(prompt.split(hostile)).toHaveLength(4);
});

test("instructions, skills, checks, language and an earlier attempt appear only when there are any", () => {
  const render = createPromptRenderer();
  const plain = render("implement.md", data);
  expect(plain).not.toMatch(/owner of the project|Further knowledge|earlier attempt|Japanese/);
  const full = render("implement.md", {
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

test("an unknown stage is refused with the ones there are", () => {
  expect(() => findStage(readWorkflows(), "issue", "nope")).toThrow("There is: issue-plan/plan, issue/implement.");
});
