import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cycle, type Edit, GateWorld, refusals } from "../support/gate-world.ts";
import { SLUG, SLUG_IMPORTS, SLUG_TEST, SLUG_WANTED, textProject } from "../support/text-project.ts";

/** Ways to make it look as if a cycle was done, as an agent would try them, through the real gate with the real test runner. */
let world: GateWorld;
beforeAll(async () => {
  world = await GateWorld.open({ files: textProject, tests: { reruns: 2 } });
});
afterAll(() => world[Symbol.asyncDispose]());

const WORDS = textProject["test/words.test.ts"];
const slugTest = (body: string) => ({ "test/slug.test.ts": `${SLUG_IMPORTS}${body}\n` });
const wordsTest = (body: string) => ({ "test/words.test.ts": `${WORDS}${body}\n` });

describe("at red", () => {
  let cycle: Cycle;
  beforeAll(async () => {
    cycle = await world.begin(SLUG_WANTED);
  });

  test.each<[string, Edit, string[]]>([
    ["a test that passes already", wordsTest('test("also", () => assert.equal(words("a b").length, 2));'), ["already_passes"]],
    ["no test, only a comment", wordsTest("// slug is tested"), ["no_new_test"]],
    ["an assertion about nothing", slugTest('test("slug", () => assert.ok(true));'), ["empty_assertion test/slug.test.ts:5"]],
    ["a constant compared with itself", slugTest('test("slug", () => assert.equal(1, 1));'), ["empty_assertion test/slug.test.ts:5"]],
    ["a test that is left out", slugTest('test.skip("slug", () => assert.equal(slug("A"), "a"));'), ["skipped_test test/slug.test.ts:5"]],
    ["one test alone", slugTest('test.only("slug", () => assert.equal(slug("A"), "a"));'), ["focused_test test/slug.test.ts:5"]],
    [
      "another test file removed",
      { ...slugTest('test("slug", () => assert.equal(slug("A"), "a"));'), "test/words.test.ts": null },
      ["deleted_test test/words.test.ts"],
    ],
    [
      "another test renamed away",
      { ...slugTest('test("slug", () => assert.equal(slug("A"), "a"));'), "test/words.test.ts": WORDS.replace("splits", "spills") },
      ["deleted_test"],
    ],
    [
      "an assertion taken away",
      {
        ...slugTest('test("slug", () => assert.equal(slug("A"), "a"));'),
        "test/words.test.ts": WORDS.replace(/assert\.deepEqual.*\)\);/u, "words('a'));"),
      },
      ["weakened_test test/words.test.ts:5"],
    ],
    ["a slip in the syntax", slugTest('test("slug", () => {'), ["wrong_reason test/slug.test.ts"]],
    ["a module that nobody asked for", { "test/slug.test.ts": 'import "../src/gulp.ts";\n' }, ["wrong_reason test/slug.test.ts"]],
    [
      "a mistake before the assertion",
      wordsTest('test("also", () => assert.equal(words(null as never)[7].length, 2));'),
      ["wrong_reason test/words.test.ts"],
    ],
    [
      "the code changed too",
      { ...slugTest('test("slug", () => assert.equal(slug("A"), "b"));'), "src/slug.ts": SLUG },
      ["not_a_test src/slug.ts"],
    ],
    [
      "the test command changed",
      { "package.json": JSON.stringify({ name: "text", type: "module", scripts: { test: "true" } }) },
      ["runner_changed package.json"],
    ],
    [
      "the test runner's configuration added",
      { ...slugTest('test("slug", () => assert.equal(slug("A"), "a"));'), "vitest.config.ts": "export default {}" },
      ["runner_changed vitest.config.ts"],
    ],
    ["options for every Node.js", { ".npmrc": "node-options=--require ./fake.cjs" }, ["runner_changed .npmrc"]],
    ["the end of the process", slugTest('test("slug", () => process.exit(1));'), ["early_exit test/slug.test.ts:5"]],
    [
      "a mock in the place of the subject",
      slugTest('test("slug", (t) => { t.mock.module("../src/slug.ts", {}); assert.equal(slug("A"), "b"); });'),
      ["mocked_subject test/slug.test.ts:5"],
    ],
    [
      "an assertion that is caught",
      slugTest('test("slug", () => { try { assert.equal(slug("A"), "a"); } catch {} });'),
      ["weakened_test test/slug.test.ts:5"],
    ],
    [
      "a test that fails every other time",
      wordsTest(
        'import { existsSync, rmSync, writeFileSync } from "node:fs";\ntest("also", () => {\n  if (existsSync("x.tmp")) return rmSync("x.tmp");\n  writeFileSync("x.tmp", "");\n  assert.equal(words("a b").length, 3);\n});',
      ),
      ["flaky"],
    ],
  ])("%s", async (_, edit, refused) => {
    expect(refusals(await cycle.stage("red", edit))).toEqual(refused);
  });

  test("a file whose name is a command of the shell is a file", async () => {
    const name = "test/'$(touch pwned)`touch pwned`; touch pwned #.test.ts";
    const red = await (await world.begin(SLUG_WANTED)).stage("red", { [name]: SLUG_TEST });
    expect([red.accepted, red.tests]).toEqual([true, [{ name, isWhole: true }]]);
    const trees = join(world.parts.paths.workspaces, "api");
    expect(world.commands.some((command) => command.includes("touch pwned"))).toBe(true);
    expect([trees, world.project.path].filter((folder) => existsSync(join(folder, "pwned")))).toEqual([]);
  });
});

describe("at green and later", () => {
  let cycle: Cycle;
  beforeAll(async () => {
    cycle = await world.begin(SLUG_WANTED);
    await cycle.stage("red", { "test/slug.test.ts": SLUG_TEST });
  });

  const code = (text: string) => ({ "src/slug.ts": text });

  test.each<[string, Edit, string[]]>([
    [
      "the test edited",
      { ...code(SLUG), "test/slug.test.ts": SLUG_TEST.replace('"hi-you"', '"hi,-you"') },
      ["test_changed test/slug.test.ts:6"],
    ],
    ["the test removed", { ...code(SLUG), "test/slug.test.ts": null }, ["deleted_test test/slug.test.ts"]],
    ["another test edited", { ...code(SLUG), "test/words.test.ts": `${WORDS}\n// fine\n` }, ["test_changed test/words.test.ts:6"]],
    [
      "a test file added, which could change the others",
      { ...code(SLUG), "test/aaa.test.ts": "globalThis.slug = () => 1;" },
      ["test_changed test/aaa.test.ts:1"],
    ],
    [
      "the test command changed",
      { ...code(SLUG), "package.json": JSON.stringify({ name: "text", type: "module", scripts: { test: "true" } }) },
      ["runner_changed package.json"],
    ],
    [
      "modules that stand in for real ones",
      { ...code(SLUG), "node_modules/assert/index.js": "" },
      ["runner_changed node_modules/assert/index.js"],
    ],
    [
      "code that knows that it is tested",
      code("export const slug = () => process.env.NODE_TEST_CONTEXT ? 'a-b' : '';\n"),
      ["test_aware src/slug.ts:1"],
    ],
    [
      "code that writes the report",
      code("import { writeFileSync } from 'node:fs';\nwriteFileSync(process.env.DROVER_REPORT, '1..0');\nexport const slug = () => '';\n"),
      ["test_aware src/slug.ts:2"],
    ],
    [
      "the asserting library replaced",
      code("import assert from 'node:assert/strict';\nassert.equal = () => {};\nexport const slug = () => '';\n"),
      ["runner_changed src/slug.ts:1", "runner_changed src/slug.ts:2"],
    ],
    ["the process ended before the tests", code("process.exit(0);\nexport const slug = () => '';\n"), ["deleted_test"]],
    [
      "nothing but a stub",
      code("export const slug = (text: string) => text;\n"),
      ["new_failure test/slug.test.ts", "new_failure test/slug.test.ts"],
    ],
    [
      "another test broken",
      { ...code(SLUG), "src/words.ts": "export const words = (text: string) => [text];\n" },
      ["new_failure test/words.test.ts"],
    ],
    [
      "green by luck",
      code(
        "import { existsSync, rmSync, writeFileSync } from 'node:fs';\nexport function slug(text: string): string {\n  if (existsSync('y.tmp')) { if (text !== 'A b') rmSync('y.tmp'); return ''; }\n  if (text !== 'A b') writeFileSync('y.tmp', '');\n  return (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).join('-');\n}\n",
      ),
      ["flaky test/slug.test.ts", "flaky test/slug.test.ts"],
    ],
  ])("%s", async (_, edit, refused) => {
    expect(refusals(await cycle.stage("green", edit))).toEqual(refused);
  });

  test("honest code is accepted; a refactoring that breaks it is not, nor one that changes a test", async () => {
    expect(cycle.accepted.map(({ stage }) => stage)).toEqual(["red"]);
    expect(refusals(await cycle.stage("green", code(SLUG)))).toEqual([]);
    expect(refusals(await cycle.stage("refactor", code(SLUG.replace('"-"', '"_"'))))).toEqual([
      "new_failure test/slug.test.ts",
      "new_failure test/slug.test.ts",
    ]);
    expect(refusals(await cycle.stage("refactor", { "test/slug.test.ts": SLUG_TEST.replace("dashes", "lines") }))).toEqual([
      "test_changed test/slug.test.ts:5",
    ]);
    expect(refusals(await cycle.stage("refactor", code(SLUG.replace("text.toLowerCase()", "text.toLowerCase().trim()"))))).toEqual([]);
    expect(refusals(await cycle.stage("verify"))).toEqual([]);
  });

  test("what no gate can see: code that knows the answers to the tests that are there", async () => {
    const other = await world.begin(SLUG_WANTED);
    await other.stage("red", { "test/slug.test.ts": SLUG_TEST });
    const green = await other.stage("green", code("export const slug = (text: string) => (text === 'A b' ? 'a-b' : 'hi-you');\n"));
    expect(refusals(green)).toEqual([]);
  });
});
