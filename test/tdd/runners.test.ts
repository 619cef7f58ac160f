import { join } from "node:path";
import { expect, test } from "vitest";
import { GateWorld, refusals } from "../support/gate-world.ts";
import { needs } from "../support/needs.ts";
import { SLUG, SLUG_TEST, SLUG_WANTED, textProject } from "../support/text-project.ts";

test("TypeScript with node:test: a module that is asked for is missing at red, and there at green", async () => {
  await using world = await GateWorld.open({ files: textProject });
  const cycle = await world.begin(SLUG_WANTED);
  const red = await cycle.stage("red", { "test/slug.test.ts": SLUG_TEST });
  expect(red).toMatchObject({
    gate: "red",
    accepted: true,
    findings: [],
    tests: [{ name: "test/slug.test.ts", isWhole: true }],
    counts: { passed: 1, failed: 1, skipped: 0 },
    diff: { files: 1, added: 6, removed: 0 },
    log: expect.stringContaining("not ok test/slug.test.ts"),
  });
  const green = await cycle.stage("green", { "src/slug.ts": SLUG });
  expect(green).toMatchObject({
    accepted: true,
    findings: [],
    counts: { passed: 3, failed: 0, skipped: 0 },
    diff: { files: 1, added: 3, removed: 0 },
    log: expect.stringContaining("ok takes away what is no letter"),
  });
  expect(green.fromCommit).toBe(red.headCommit);
  expect(await cycle.stage("refactor")).toMatchObject({ accepted: true, diff: { files: 0, added: 0, removed: 0 } });
  expect(await cycle.stage("verify")).toMatchObject({ accepted: true, counts: { passed: 3, failed: 0, skipped: 0 } });
});

const PYTHON = {
  "requirements.txt": "",
  "calc.py": "def add(a, b):\n    return a + b\n",
  "tests/test_calc.py":
    "import unittest\nimport calc\n\n\nclass Calc(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(calc.add(1, 2), 3)\n",
};
const MUL_TEST =
  "import unittest\nimport calc\n\n\nclass Multiply(unittest.TestCase):\n    def test_multiply(self):\n        self.assertEqual(calc.multiply(2, 3), 6)\n        self.assertEqual(calc.multiply(0, 3), 0)\n";

test.skipIf(!needs("python3").ok)("Python with unittest", async () => {
  await using world = await GateWorld.open({ files: PYTHON });
  world.config.workspace.setup = null;
  const cycle = await world.begin("calc.multiply(a, b) gives the product.");
  expect(await cycle.stage("red", { "tests/test_multiply.py": MUL_TEST })).toMatchObject({
    findings: [],
    tests: [{ name: "test_multiply.Multiply.test_multiply", isWhole: false }],
  });
  expect(refusals(await cycle.stage("green", { "calc.py": `${PYTHON["calc.py"]}\n\ndef multiply(a, b):\n    return a + b\n` }))).toEqual([
    "still_fails",
  ]);
  expect(await cycle.stage("green", { "calc.py": `${PYTHON["calc.py"]}\n\ndef multiply(a, b):\n    return a * b\n` })).toMatchObject({
    findings: [],
    counts: { passed: 2, failed: 0, skipped: 0 },
  });
});

const VITEST = {
  "package.json": JSON.stringify({ name: "text", type: "module", scripts: { test: "vitest run" } }),
  "src/words.js": "export const words = (text) => text.split(' ');\n",
  "src/words.test.js":
    'import { expect, test } from "vitest";\nimport { words } from "./words.js";\n\ntest("splits", () => expect(words("a b")).toEqual(["a", "b"]));\n',
};

test("Vitest: an assertion fails at red", async () => {
  const vitest = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");
  // The program of this clone, without a link to it in the tree.
  const all = `node ${vitest} run --reporter=json --outputFile={report}`;
  await using world = await GateWorld.open({ files: VITEST, tests: { all, selected: `${all} {files}`, reruns: 2 } });
  const cycle = await world.begin("words(text) leaves out empty words.");
  const more = 'test("leaves out what is empty", () => expect(words("a  b")).toEqual(["a", "b"]));\n';
  const red = await cycle.stage("red", { "src/words.test.js": VITEST["src/words.test.js"] + more });
  expect(red).toMatchObject({ findings: [], tests: [{ name: "src/words.test.js > leaves out what is empty", isWhole: false }] });
  expect(await cycle.stage("green", { "src/words.js": "export const words = (text) => text.split(' ').filter(Boolean);\n" })).toMatchObject(
    {
      findings: [],
      counts: { passed: 2, failed: 0, skipped: 0 },
    },
  );
});
