import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Answer, Asked } from "../programs/answers-prompts.ts";
import { GithubScene } from "./github-scene.ts";

const program = join(import.meta.dirname, "../programs/answers-prompts.ts");

/** In place of the real one, whose rules have tests of their own: one stage, which takes the acceptance tests. */
const SMALL_TDD =
  "name: tdd\nextends: issue\nparameters: { acceptance: { default: '' } }\nstages: [{ name: implement, prompt: small-tdd.md }]\n";
/** In the prompt of each task that the PRD comes to, and in no other. */
export const TASK_PROMPT = "You build one task of a PRD.";
const SMALL_PROMPT = `${TASK_PROMPT}\n\n{{> request}}\n\n{{quoted.acceptance}}\n`;

/** A GitHub of our own, a JavaScript project whose tests Node runs, and agents that answer by what they are told. */
export class PrdScene implements AsyncDisposable {
  readonly github: GithubScene;
  readonly #folder: string;

  private constructor(github: GithubScene) {
    this.github = github;
    this.#folder = join(github.home.folder, "answers");
  }

  static async open(config: Readonly<Record<string, Record<string, unknown>>> = {}): Promise<PrdScene> {
    const github = await GithubScene.open({
      files: {
        "package.json": '{ "type": "module" }\n',
        "base.test.js": 'import { test } from "node:test";\ntest("there is a project", () => {});\n',
      },
      config: {
        ...config,
        agents: { answers: { driver: "command", command: [process.execPath, program, "${ANSWERS}"], env: ["ANSWERS"] } },
        defaults: { agent: "answers", retryAttempts: 2, retryDelayMs: 1, ...config["defaults"] },
        checks: [{ name: "tests", command: "node --test" }],
      },
    });
    const scene = new PrdScene(github);
    mkdirSync(scene.#folder);
    github.home.env["ANSWERS"] = scene.#folder;
    const workflows = join(github.home.home, "workflows");
    mkdirSync(join(workflows, "prompts"), { recursive: true });
    writeFileSync(join(workflows, "tdd.yaml"), SMALL_TDD);
    writeFileSync(join(workflows, "prompts", "small-tdd.md"), SMALL_PROMPT);
    return scene;
  }

  answer(...answers: readonly Answer[]): void {
    writeFileSync(join(this.#folder, "answers.json"), JSON.stringify(answers));
  }

  /** Lets the answers that wait for a file of this name go on. */
  release(name: string): void {
    writeFileSync(join(this.#folder, name), "");
  }

  /** What the agents were asked so far, in the order of their starts. */
  asked(): Asked[] {
    const names = readdirSync(this.#folder).filter((name) => /^\d+\.json$/.test(name));
    const inOrder = names.toSorted((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10));
    return inOrder.map((name) => JSON.parse(readFileSync(join(this.#folder, name), "utf8")) as Asked);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.github[Symbol.asyncDispose]();
  }
}

/** A report that ends with a block as a pass wants it. */
export function reportOf(result: object): string {
  return `Here it is.\n\n\`\`\`yaml\n${JSON.stringify(result, null, 2)}\n\`\`\`\n`;
}

export const calculator = `---
title: A small calculator
constraints: [No dependency]
---

For people who calculate.

## Ground

### R1: The sum

Acceptance:

- sum(1, 2) is 3

### R2: The product

Acceptance:

- product(2, 3) is 6

## Together

### R3: The mean

After: R1

Acceptance:

- mean(2, 4) is 3
`;

const planned = (id: string, title: string, phase: string, requirement: string, after: string[] = []) => ({
  id,
  title,
  body: `Write ${title}.`,
  phase,
  requirements: [requirement],
  after,
});

export const phases = {
  phases: [
    { name: "Ground", goal: "Two functions.", requirements: ["R1", "R2"] },
    { name: "Together", goal: "", requirements: ["R3"] },
  ],
};
export const tasks = {
  tasks: [
    planned("T1", "sum.js", "Ground", "R1"),
    planned("T2", "product.js", "Ground", "R2"),
    planned("T3", "mean.js", "Together", "R3", ["T1"]),
  ],
};
export const acceptance = {
  tests: [
    { task: "T1", acceptance: ["sum(1, 2) is 3"] },
    { task: "T2", acceptance: ["product(2, 3) is 6"] },
    { task: "T3", acceptance: ["mean(2, 4) is 3"] },
  ],
};

const testOf = (name: string, call: string, value: number) =>
  `import assert from "node:assert";\nimport { test } from "node:test";\nimport { ${name} } from "./${name}.js";\ntest("${name}", () => assert.equal(${call}, ${value}));\n`;

/** What the agents do for the calculator, each as its PRD wants it. */
export const builds = {
  phases: { when: "This is the first pass", report: reportOf(phases) },
  tasks: { when: "This is the second pass", report: reportOf(tasks) },
  acceptance: { when: "This is the third pass", report: reportOf(acceptance) },
  sum: {
    when: "Write sum.js.",
    files: { "sum.js": "export const sum = (a, b) => a + b;\n", "sum.test.js": testOf("sum", "sum(1, 2)", 3) },
  },
  product: {
    when: "Write product.js.",
    files: { "product.js": "export const product = (a, b) => a * b;\n", "product.test.js": testOf("product", "product(2, 3)", 6) },
  },
  mean: {
    when: "Write mean.js.",
    files: {
      "mean.js": 'import { sum } from "./sum.js";\nexport const mean = (a, b) => sum(a, b) / 2;\n',
      "mean.test.js": testOf("mean", "mean(2, 4)", 3),
    },
  },
} as const satisfies Record<string, Answer>;
