import { describe, expect, test } from "vitest";
import { createFailureReader } from "./failures.ts";

function failuresIn(output: string): string[] {
  const reader = createFailureReader();
  for (const line of output.replace(/^\n/, "").split("\n")) reader.read(line);
  return reader.failures();
}

// Recorded: node 24.21 and vitest 5.1. The others are written after the formats of pytest 8, go 1.24, cargo 1.84, jest 30, mocha 11.
const nodeTap = `
TAP version 13
# Subtest: suite one
    # Subtest: works
    ok 1 - works
      ---
      duration_ms: 0.424153
      ...
    # Subtest: fails inside
    not ok 2 - fails inside
      ---
      duration_ms: 0.756388
      type: 'test'
      location: './a.test.mjs:2:54'
      error: '1 == 2'
      ...
    1..2
not ok 1 - suite one
  ---
  location: './a.test.mjs:2:1'
  ...
# Subtest: todo fails
not ok 2 - todo fails # TODO
# Subtest: skipped
ok 3 - skipped # SKIP
# fail 2
`;

const nodeSpec = `
▶ suite one
  ✔ works (0.411594ms)
  ✖ fails inside (0.732814ms)
  ▶ nested
    ✖ deep fail (1.115284ms)
  ✖ nested (1.32034ms)
✖ suite one (3.231252ms)
✖ top level fails (6.986285ms)
⚠ todo fails (0.418615ms) # TODO
▶ suite two
  ✖ fails inside (0.553806ms)
✖ suite two (5.476382ms)
✖ c.test.mjs (42.991564ms)
ℹ fail 7

✖ failing tests:

test at a.test.mjs:2:54
✖ fails inside (0.732814ms)
  AssertionError [ERR_ASSERTION]: 1 == 2
      at TestContext.<anonymous> (file:///tmp/a.test.mjs:2:86)

test at a.test.mjs:2:127
✖ deep fail (1.115284ms)
  Error: x

test at a.test.mjs:3:1
✖ top level fails (6.986285ms)

test at a.test.mjs:3:70
⚠ todo fails (0.418615ms) # TODO

test at b.test.mjs:2:54
✖ fails inside (0.553806ms)

test at c.test.mjs:1:1
✖ c.test.mjs (42.991564ms)
  'test failed'
`;

const vitest = `
\u001b[41m\u001b[1m FAIL \u001b[22m\u001b[49m c.test.ts\u001b[2m [ c.test.ts ]\u001b[22m
\u001b[41m\u001b[1m FAIL \u001b[22m\u001b[49m a.test.ts\u001b[2m > \u001b[22msuite one\u001b[2m > \u001b[22mfails inside
\u001b[31m\u001b[1mAssertionError\u001b[22m: expected 1 to be 2
 FAIL  |unit| a.test.ts > a > b
   × each 2 1ms
`;

const vitestTap = `
TAP version 13
1..2
not ok 1 - a.test.ts # time=20.25ms {
    1..2
    not ok 1 - suite one # time=15.17ms {
        ok 1 - works # time=0.89ms
        not ok 2 - fails inside # time=13.02ms
    }
    not ok 2 - top level fails # time=0.53ms
}
not ok 2 - c.test.ts
`;

const jest = `
PASS src/b.test.js
FAIL src/a.test.js (5.1 s)
  suite one
    ✓ works (3 ms)
    ✕ fails inside (4 ms)

  ● Console

    console.log
      hello

  ● suite one › fails inside

    expect(received).toBe(expected)

FAIL src/c.test.js
  ● Test suite failed to run

    Cannot find module './nope'

Summary of all failing tests
FAIL src/a.test.js
  ● suite one › fails inside
`;

const mocha = `
  suite one
    ✔ works
    1) fails inside
    nested
      2) deep fail

  1 passing (5ms)
  2 failing

  1) suite one
       fails inside:

      AssertionError [ERR_ASSERTION]: 1 == 2
      at Context.<anonymous> (test/a.js:5:12)

  2) suite one
       nested
         deep fail:
     Error: x
`;

const pytest = `
tests/test_a.py .F                                                   [ 66%]
tests/test_a.py::test_verbose FAILED                                 [100%]
=================================== FAILURES ===================================
ERROR    root:test_a.py:10 a message of the log
=========================== short test summary info ============================
FAILED tests/test_a.py::TestA::test_x - AssertionError: assert 1 == 2
FAILED tests/test_a.py::test_p[a b-1] - assert [1] - 2
ERROR tests/test_b.py - ModuleNotFoundError: No module named 'nope'
2 failed, 1 error in 0.12s
`;

const unittest = `
======================================================================
FAIL: test_upper (tests.test_a.TestString.test_upper)
----------------------------------------------------------------------
ERROR: test_b (unittest.loader._FailedTest.test_b)
FAILED (failures=1, errors=1)
`;

const go = `
=== RUN   TestAdd
--- FAIL: TestAdd (0.00s)
    --- FAIL: TestAdd/negative (0.00s)
        add_test.go:12: got 1
--- PASS: TestOther (0.00s)
FAIL
FAIL\texample.com/app/math\t0.004s
ok  \texample.com/app/other\t0.003s
# example.com/app/broken
./main.go:3:5: undefined: x
FAIL\texample.com/app/broken [build failed]
panic: runtime error
FAIL\texample.com/app/panics\t0.010s
FAIL
`;

const cargo = `
     Running unittests src/lib.rs (target/debug/deps/app-0123)
test math::tests::adds ... ok
test math::tests::subtracts ... FAILED
     Running tests/cli.rs (target/debug/deps/cli-0123)
test runs ... FAILED
   Doc-tests app
test src/lib.rs - math::add (line 12) ... FAILED
error[E0425]: cannot find value \`x\` in this scope
        FAIL [   0.005s] app math::tests::next
`;

const junit = `
<testsuites><testsuite name="s">
  <testcase name="works" classname="A" time="0.1"/>
  <testcase name="a &lt; b" classname="A" file="./a.js" time="0.2">
    <failure message="x > y">trace</failure>
  </testcase>
  <testcase name="errors" classname="B"><error/></testcase>
  <testcase name="skips" classname="B"><skipped/></testcase>
</testsuite></testsuites>
`;

const others = `
com.example.FooTest > testBar() FAILED
[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0 <<< FAILURE! - in com.example.FooTest
[ERROR] testBar(com.example.FooTest)  Time elapsed: 0.005 s  <<< FAILURE!
rspec ./spec/a_spec.rb:5 # Suite does
  Failed Namespace.Tests.Adds [12 ms]
`;

const diagnostics = `
src/a.ts(3,5): error TS2322: Type 'string' is not assignable to type 'number'.
src/a.ts(9,5): error TS2322: Type 'string' is not assignable to type 'number'.
src/b.ts:1:7 - error TS6133: 'x' is declared but its value is never read.
lib/c.c:12:3: error: expected ';' before '}' token
lib/c.c:12:3: warning: unused variable 'y'
./src/d.js
  3:5  error    'x' is assigned a value but never used  no-unused-vars
  4:5  warning  Unexpected console statement            no-console
`;

describe("createFailureReader", () => {
  test.each<[string, string, string[]]>([
    ["TAP of node:test", nodeTap, ["./a.test.mjs > suite one", "./a.test.mjs > suite one > fails inside"]],
    [
      "node:test's own reporter, with the suites of the tree and the files of the summary",
      nodeSpec,
      [
        "a.test.mjs > suite one > fails inside",
        "a.test.mjs > suite one > nested > deep fail",
        "a.test.mjs > top level fails",
        "b.test.mjs > suite two > fails inside",
        "c.test.mjs > c.test.mjs",
      ],
    ],
    [
      "node:test's own reporter, cut off before the summary",
      nodeSpec.slice(0, nodeSpec.indexOf("ℹ")),
      ["c.test.mjs", "suite one > fails inside", "suite one > nested > deep fail", "suite two > fails inside", "top level fails"],
    ],
    ["vitest, in colour", vitest, ["a.test.ts > a > b", "a.test.ts > suite one > fails inside", "c.test.ts"]],
    [
      "TAP of vitest",
      vitestTap,
      ["a.test.ts", "a.test.ts > suite one", "a.test.ts > suite one > fails inside", "a.test.ts > top level fails", "c.test.ts"],
    ],
    ["jest, once though it tells twice", jest, ["src/a.test.js › suite one › fails inside", "src/c.test.js › Test suite failed to run"]],
    ["mocha", mocha, ["suite one > fails inside", "suite one > nested > deep fail"]],
    [
      "pytest",
      pytest,
      ["tests/test_a.py::TestA::test_x", "tests/test_a.py::test_p[a b-1]", "tests/test_a.py::test_verbose", "tests/test_b.py"],
    ],
    ["unittest", unittest, ["test_b (unittest.loader._FailedTest.test_b)", "test_upper (tests.test_a.TestString.test_upper)"]],
    [
      "go test",
      go,
      [
        "./main.go: undefined: x",
        "example.com/app/broken [build failed]",
        "example.com/app/math TestAdd",
        "example.com/app/math TestAdd/negative",
        "example.com/app/panics",
      ],
    ],
    [
      "go test -json",
      '{"Time":"t","Action":"fail","Package":"p","Test":"TestA","Elapsed":0.1}\n{"Action":"pass","Package":"p","Test":"TestB"}',
      ["p TestA"],
    ],
    [
      "cargo test and nextest",
      cargo,
      [
        "app math::tests::next",
        "app src/lib.rs - math::add",
        "error[E0425]: cannot find value `x` in this scope",
        "src/lib.rs math::tests::subtracts",
        "tests/cli.rs runs",
      ],
    ],
    ["JUnit's XML", junit, ["./a.js > A > a &lt; b", "B > errors"]],
    [
      "Gradle, Maven, RSpec, dotnet",
      others,
      ["./spec/a_spec.rb Suite does", "Namespace.Tests.Adds", "com.example.FooTest > testBar()", "testBar(com.example.FooTest)"],
    ],
    [
      "compilers and linters, one entry for each error",
      diagnostics,
      [
        "./src/d.js: 'x' is assigned a value but never used no-unused-vars",
        "lib/c.c: error: expected ';' before '}' token",
        "src/a.ts: error TS2322: Type 'string' is not assignable to type 'number'.",
        "src/a.ts: error TS2322: Type 'string' is not assignable to type 'number'.",
        "src/b.ts: error TS6133: 'x' is declared but its value is never read.",
      ],
    ],
  ])("reads %s", (_format, output, expected) => {
    expect(failuresIn(output)).toEqual(expected);
  });

  test.each([
    ["prose", "All is well.\nnot okay\n3 failing thoughts\nFAILED to impress\nError: nothing"],
    ["passing runs", "ok 1 - works\n✔ works (1ms)\nPASS src/a.test.js\ntest a ... ok\nok  \tpkg\t0.1s\n2 passed in 0.1s"],
    ["nothing", ""],
  ])("finds nothing in %s", (_what, output) => {
    expect(failuresIn(output)).toEqual([]);
  });

  test("makes names fit for one line of a screen, with the last word of a line that was overwritten", () => {
    expect(failuresIn("running...\rnot ok 1 - evil \u202etest\u0007\r")).toEqual(["evil test"]);
    expect(failuresIn(`not ok 1 - ${"x".repeat(1000)}`)[0]).toHaveLength(300);
  });

  test("is not kept busy by lines made for that: what they take does not explode", () => {
    const hostile = [" > ", "<failure ", "FAILED x.py", "a.py::", "● ", "[ERROR] ", "(1,1): "];
    const lines = (parts: readonly string[]) => parts.map((part) => part.repeat(4000 / part.length)).join("\n");
    const cpuOf = (output: string) => {
      const before = process.cpuUsage();
      for (let round = 0; round < 200; round++) failuresIn(output);
      return process.cpuUsage(before).user;
    };
    cpuOf(lines(hostile)); // so that both are measured with compiled code
    expect(cpuOf(lines(hostile))).toBeLessThan(400 * cpuOf(lines(hostile.map(() => "all is well "))));
    failuresIn("x".repeat(10_000_000));
  });

  test("gives no names when there are too many to compare", () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `not ok ${i} - test ${i}`).join("\n");
    expect(failuresIn(many(2000))).toHaveLength(2000);
    expect(failuresIn(many(2001))).toEqual([]);
  });
});
