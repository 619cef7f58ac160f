import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ReportFormat } from "../../src/contract/test-setup.ts";
import { readReports } from "../../src/reports/report.ts";

const recorded = (name: string) => readFileSync(join(import.meta.dirname, "recorded", name), "utf8");

/** What a report comes to: name, status, then for failures the kind, what is missing, and whether a whole file is meant. */
function told(format: ReportFormat, text: string) {
  return readReports(format, [text], "/project").map(({ name, status, kind, missing, isWhole }) =>
    status === "failed" ? [name, kind, ...(missing === null ? [] : [missing]), ...(isWhole ? ["whole"] : [])] : [name, status],
  );
}

test("TAP of Node.js", () => {
  expect(told("tap", recorded("node.tap"))).toEqual([
    ["calc > adds", "passed"],
    ["calc > bad # one", "assertion"],
    ["calc > later", "skipped"],
    ["calc > t", "skipped"],
    ["err", "error"],
    ["ref", "import", "slug"],
    ["b.test.mjs", "import", "slug.mjs", "whole"],
    ["c.test.mjs", "syntax", "whole"],
  ]);
});

test("the JSON of Vitest", () => {
  expect(told("jest", recorded("vitest.json"))).toEqual([
    ["a.test.mjs > calc > adds", "passed"],
    ["a.test.mjs > calc > is wrong", "assertion"],
    ["a.test.mjs > calc > later", "skipped"],
    ["a.test.mjs > calc > t", "skipped"],
    ["a.test.mjs > err", "error"],
    ["b.test.mjs", "import", "./slug.mjs", "whole"],
    ["c.test.mjs", "syntax", "whole"],
    ["d.test.mjs > export", "import", "slug"],
  ]);
});

test("JUnit's XML of pytest", () => {
  expect(told("junit", recorded("pytest.xml"))).toEqual([
    ["tests.test_calc.T > test_bad", "assertion"],
    ["tests.test_calc.T > test_err", "import", "mul"],
    ["tests.test_calc.T > test_ok", "passed"],
    ["tests.test_calc.T > test_skip", "skipped"],
    ["tests.test_calc.T > test_sub", "assertion"],
  ]);
  expect(told("junit", recorded("pytest-broken.xml"))).toEqual([
    ["tests.test_imp", "import", "slugger", "whole"],
    ["tests.test_syn", "syntax", "whole"],
  ]);
});

test("what unittest prints", () => {
  expect(told("unittest", recorded("unittest.txt"))).toEqual([
    ["test_calc.T.test_bad", "assertion"],
    ["test_calc.T.test_err", "import", "mul"],
    ["test_calc.T.test_ok", "passed"],
    ["test_calc.T.test_skip", "skipped"],
    ["test_calc.T.test_sub", "assertion"],
    ["test_imp", "import", "slugger", "whole"],
    ["test_syn", "syntax", "whole"],
  ]);
});

test("what cargo prints", () => {
  expect(told("cargo", recorded("cargo.txt"))).toEqual([
    ["tests/calc.rs > bad", "assertion"],
    ["tests/calc.rs > err", "error"],
    ["tests/calc.rs > skip", "skipped"],
    ["tests/calc.rs > ok", "passed"],
  ]);
  expect(told("cargo", recorded("cargo-broken.txt"))).toEqual([["tests/mul.rs", "import", "calc::mul", "whole"]]);
});

const line = (value: object) => JSON.stringify(value);

test("the JSON lines of Go", () => {
  const at = (Action: string, Test: string, Output?: string) => line({ Action, Package: "shop", Test, Output });
  const report = [
    at("run", "TestAdd"),
    at("pass", "TestAdd"),
    at("output", "TestBad", "    calc_test.go:9: got 2, want 3\n"),
    at("fail", "TestBad"),
    at("output", "TestSub/one", "    calc_test.go:12: no\n"),
    at("fail", "TestSub/one"),
    at("fail", "TestSub"),
    at("skip", "TestLater"),
    at("output", "TestPanic", "panic: runtime error: index out of range [0]\n\tcalc_test.go:30 +0x1\n"),
    at("fail", "TestPanic"),
    line({ Action: "fail", Package: "shop" }),
    "# shop/slug [shop/slug.test]",
    "slug/slug_test.go:6:7: undefined: Slug",
    line({ Action: "output", Package: "shop/slug", Output: "FAIL\tshop/slug [build failed]\n" }),
    line({ Action: "fail", Package: "shop/slug" }),
  ].join("\n");
  expect(told("go", report)).toEqual([
    ["shop.TestAdd", "passed"],
    ["shop.TestBad", "assertion"],
    ["shop.TestSub/one", "assertion"],
    ["shop.TestLater", "skipped"],
    ["shop.TestPanic", "error"],
    ["shop/slug", "import", "Slug", "whole"],
  ]);
});

test("Go since 1.24 tells of the compiler in lines of its own", () => {
  const report = [
    line({ Action: "build-output", ImportPath: "shop [shop.test]", Output: "./slug_test.go:6:7: undefined: Slug\n" }),
    line({ Action: "output", Package: "shop", Output: "FAIL\tshop [build failed]\n" }),
    line({ Action: "fail", Package: "shop" }),
  ].join("\n");
  expect(told("go", report)).toEqual([["shop", "import", "Slug", "whole"]]);
});

test("RSpec's JSON", () => {
  const example = (full_description: string, status: string, exception?: object) => ({
    full_description,
    status,
    file_path: "./spec/calc_spec.rb",
    exception,
  });
  const report = {
    examples: [
      example("adds", "passed"),
      example("is wrong", "failed", { class: "RSpec::Expectations::ExpectationNotMetError", message: "\nexpected: 3\n     got: 2\n" }),
      example("lacks", "failed", { class: "NoMethodError", message: "undefined method 'slug' for main:Object" }),
      example("later", "pending"),
    ],
    summary: { errors_outside_of_examples_count: 1 },
    messages: [
      '\nAn error occurred while loading ./spec/slug_spec.rb.\nFailure/Error: require "slug"\n\nLoadError:\n  cannot load such file -- slug',
    ],
  };
  expect(told("rspec", line(report))).toEqual([
    ["spec/slug_spec.rb", "import", "slug", "whole"],
    ["spec/calc_spec.rb > adds", "passed"],
    ["spec/calc_spec.rb > is wrong", "assertion"],
    ["spec/calc_spec.rb > lacks", "import", "slug"],
    ["spec/calc_spec.rb > later", "skipped"],
  ]);
});

test("the XML of .NET, Surefire, PHPUnit and Mocha", () => {
  const trx = `<?xml version="1.0"?><TestRun><Results>
    <UnitTestResult testName="Shop.Adds" outcome="Passed" />
    <UnitTestResult testName="Shop.IsWrong" outcome="Failed"><Output><ErrorInfo><Message>Assert.Equal() Failure: 2 &lt;&gt; 3</Message></ErrorInfo></Output></UnitTestResult>
    <UnitTestResult testName="Shop.Later" outcome="NotExecuted" /></Results></TestRun>`;
  expect(told("trx", trx)).toEqual([
    ["Shop.Adds", "passed"],
    ["Shop.IsWrong", "assertion"],
    ["Shop.Later", "skipped"],
  ]);
  const junit = `<testsuites><testsuite name="s">
    <testcase classname="shop.CalcTest" name="adds" time="0.1"/>
    <testcase classname="shop.CalcTest" name="bad"><failure message="expected: &lt;3&gt; but was: &lt;2&gt;" type="org.opentest4j.AssertionFailedError"><![CDATA[at <here>]]></failure></testcase>
    <testcase class="CalcTest" name="php"><failure type="PHPUnit\\Framework\\ExpectationFailedException">Failed asserting that 2 matches expected 3.</failure></testcase>
    <testcase classname="x" name="later"><skipped/></testcase>
    <testcase classname="x" name="died"><error type="java.lang.NullPointerException">npe</error></testcase></testsuite></testsuites>`;
  expect(told("junit", junit)).toEqual([
    ["shop.CalcTest > adds", "passed"],
    ["shop.CalcTest > bad", "assertion"],
    ["CalcTest > php", "assertion"],
    ["x > later", "skipped"],
    ["x > died", "error"],
  ]);
});

test("tests of one name are told apart by their order", () => {
  const report = `<testsuite><testcase classname="a" name="b"/><testcase classname="a" name="b"/></testsuite>`;
  expect(told("junit", report)).toEqual([
    ["a > b", "passed"],
    ["a > b (2)", "passed"],
  ]);
});

test.each<[string, ReportFormat, string, RegExp]>([
  [
    "entities that grow",
    "junit",
    `<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><testsuite>&b;</testsuite>`,
    /no XML that can be read: at character 0/u,
  ],
  ["an outside entity", "junit", `<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>`, /no XML that can be read/u],
  ["an unknown entity", "junit", `<testsuite>&x;</testsuite>`, /the entity &x; is not known/u],
  ["too deep", "junit", "<a>".repeat(60), /too deep/u],
  ["no end", "junit", `<testsuite><testcase name="a"/>`, /it has no end/u],
  ["two ends", "junit", `<testsuite/><testsuite/>`, /it has no end/u],
  ["crossed", "junit", `<a><b></a></b>`, /<\/a> closes nothing/u],
  ["nothing", "junit", "", /it has no end/u],
  ["too many tests", "junit", `<testsuite>${`<testcase name="a"/>`.repeat(50_001)}</testsuite>`, /tells of 50001 tests/u],
  ["TAP that was cut off", "tap", "TAP version 13\nok 1 - a\n", /has no end/u],
  ["JSON that was cut off", "jest", '{"testResults":[', /is not the JSON of Jest/u],
  ["unittest that exited", "unittest", "test_a (m.T.test_a) ... ok\n", /did not come to an end/u],
  ["cargo that never ran", "cargo", "sh: 1: cargo: not found", /not what `cargo test` prints: sh: 1: cargo: not found/u],
  ["go that never ran", "go", "sh: 1: go: not found", /is not that of `go test -json`: sh: 1: go: not found/u],
])("a hostile or broken report is refused: %s", (_, format, text, message) => {
  expect(() => readReports(format, [text], "/project")).toThrow(message);
});

test("an attribute of a hundred thousand entities takes no time to speak of", () => {
  const text = `<testsuite><testcase name="${"&amp;".repeat(100_000)}"/></testsuite>`;
  expect(readReports("junit", [text], "/project")[0]?.name).toHaveLength(500);
});
