import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CheckResult } from "../contract/proof.ts";
import { compareCheck } from "./compare-checks.ts";

const result = (exitCode: number | null, failures: string[] = [], outputTail = ""): CheckResult => ({
  exitCode,
  durationMs: 10,
  failures,
  outputTail,
});

function compare(base: CheckResult, head: CheckResult) {
  const { verdict, newFailures } = compareCheck("test", "npm test", base, head);
  return { verdict, newFailures };
}

describe("compareCheck", () => {
  test("hands back both results with its verdict", () => {
    const base = result(0);
    const head = result(1, ["a"]);
    expect(compareCheck("test", "npm test", base, head)).toEqual({
      name: "test",
      command: "npm test",
      base,
      head,
      verdict: "broken",
      newFailures: ["a"],
    });
  });

  test("a green head passes, or has fixed what was red or hung", () => {
    expect(compare(result(0), result(0))).toEqual({ verdict: "passed", newFailures: [] });
    expect(compare(result(1, ["a"]), result(0))).toEqual({ verdict: "fixed", newFailures: [] });
    expect(compare(result(null), result(0))).toEqual({ verdict: "fixed", newFailures: [] });
  });

  test("a red head on a green base is broken", () => {
    expect(compare(result(0), result(1, ["a", "b"]))).toEqual({ verdict: "broken", newFailures: ["a", "b"] });
    expect(compare(result(0), result(1))).toEqual({ verdict: "broken", newFailures: [] });
  });

  test("a head that did not end is broken, even where the base did not end either", () => {
    for (const base of [result(0), result(1, ["a"]), result(null, ["a"])])
      expect(compare(base, result(null, ["a"])).verdict).toBe("broken");
  });

  test("a red head whose base did not end is broken", () => {
    expect(compare(result(null, ["a"], "same"), result(1, ["a"], "same")).verdict).toBe("broken");
  });

  describe("with failing tests that could be read", () => {
    test("none new is a known failure, also where the line and the time have moved", () => {
      expect(compare(result(1, ["a", "b"]), result(1, ["b"]))).toEqual({ verdict: "known_failure", newFailures: [] });
      expect(compare(result(1, ["src/a.ts:3:5 TS2322"]), result(1, ["src/a.ts:30:1 TS2322"])).verdict).toBe("known_failure");
      expect(compare(result(1, ["adds (3 ms)"]), result(1, ["adds (1.2 s)"])).verdict).toBe("known_failure");
    });

    test("a new one is broken and is named", () => {
      expect(compare(result(1, ["a"]), result(1, ["a", "c"]))).toEqual({ verdict: "broken", newFailures: ["c"] });
    });

    test("the same name more often than before is new", () => {
      expect(compare(result(1, ["works"]), result(1, ["works", "works"]))).toEqual({ verdict: "broken", newFailures: ["works"] });
    });

    test("numbers that belong to a name tell tests apart", () => {
      expect(compare(result(1, ["listens on localhost:80"]), result(1, ["listens on localhost:81"])).verdict).toBe("broken");
      expect(compare(result(1, ["waits 10 ms"]), result(1, ["waits 20 ms"])).verdict).toBe("broken");
    });

    test("another exit code has to come from fewer failures", () => {
      expect(compare(result(2, ["a", "b"]), result(1, ["a"])).verdict).toBe("known_failure");
      expect(compare(result(1, ["a"]), result(2, ["a"])).verdict).toBe("broken");
      expect(compare(result(2, ["a", "b"]), result(139, ["a"])).verdict).toBe("broken");
    });

    test("where none could be read on the base, all are new", () => {
      expect(compare(result(1, [], "x"), result(1, ["a"], "x"))).toEqual({ verdict: "broken", newFailures: ["a"] });
    });
  });

  describe("without", () => {
    const base = result(1, [], "error: src/a.c:12: no such thing\n2026-01-02T03:04:05Z took 1.5 s at 0x7f00\nline 3");

    test("the same output but for times, lines, addresses and order is a known failure", () => {
      const head = result(1, [], "2026-02-03T04:05:06Z took 99 ms at 0x1234\nerror: src/a.c:13: no such thing\n\nline 40");
      expect(compare(base, head)).toEqual({ verdict: "known_failure", newFailures: [] });
    });

    test("a new line is broken and is shown", () => {
      expect(compare(base, { ...base, outputTail: `${base.outputTail}\nerror: other` })).toEqual({
        verdict: "broken",
        newFailures: ["error: other"],
      });
    });

    test("less output, another exit code, or no output at all can't be told", () => {
      expect(compare(base, { ...base, outputTail: "line 3" }).verdict).toBe("broken");
      expect(compare(base, { ...base, exitCode: 2 }).verdict).toBe("broken");
      expect(compare(result(1), result(1)).verdict).toBe("broken");
      expect(compare({ ...base, failures: ["a"] }, base).verdict).toBe("broken");
    });
  });

  test("a red head with a failure that the base did not have is never forgiven", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 6 });
    fc.assert(
      fc.property(names, names, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 }), (before, now, baseCode, headCode) => {
        const isNew = now.some((name) => !before.includes(name));
        const { verdict } = compare(result(baseCode, before), result(headCode, now));
        if (isNew || baseCode === 0 || now.length === 0) expect(verdict).toBe("broken");
      }),
    );
  });

  test("a proof holds at most 50 new failures", () => {
    const many = Array.from({ length: 80 }, (_, i) => `test ${i}`);
    expect(compare(result(0), result(1, many)).newFailures).toEqual(many.slice(0, 50));
  });
});
