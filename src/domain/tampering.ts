import type { GateFinding, GateRule } from "../contract/gate.ts";
import type { FileChange } from "./file-change.ts";

interface Sign {
  readonly rule: GateRule;
  readonly pattern: RegExp;
  /** What is seen, behind the name of the place. */
  readonly says: string;
}

/** What makes a test show nothing, in the words of the usual test runners. A line is looked at by itself. */
export const testSigns: readonly Sign[] = [
  {
    rule: "focused_test",
    pattern: /\b(?:it|test|describe|suite|context|specify)\.only\b|\b(?:fit|fdescribe|fcontext|fspecify)\s*[( ]/u,
    says: "runs one test alone",
  },
  { rule: "focused_test", pattern: /,\s*(?:focus: true|:focus)\b|\{[^}]*\bonly:\s*true/u, says: "runs one test alone" },
  {
    rule: "skipped_test",
    pattern: /\b(?:it|test|describe|suite|context|t)\.(?:skip|todo|fails|failing)\b|\b(?:xit|xtest|xdescribe|xcontext|xspecify)\s*[( ]/u,
    says: "leaves a test out",
  },
  { rule: "skipped_test", pattern: /\{[^}]*\b(?:skip|todo)\s*:/u, says: "leaves a test out" },
  {
    rule: "skipped_test",
    pattern:
      /@(?:pytest\.mark\.(?:skip|xfail)|unittest\.(?:skip|expectedFailure)|skip(?:If|Unless)?\b|Disabled|Ignore)\b|\b(?:pytest\.(?:skip|xfail|importorskip)|self\.skipTest)\(/u,
    says: "leaves a test out",
  },
  {
    rule: "skipped_test",
    pattern: /\b[tb]\.Skip(?:f|Now)?\(|#\[ignore|\[Ignore|\bSkip\s*=\s*"|markTestSkipped|markTestIncomplete|^\s*(?:pending|skip)\b/u,
    says: "leaves a test out",
  },
  {
    rule: "empty_assertion",
    pattern:
      /\bexpect\(\s*(true|false|null|undefined|\d+|(["'])[^"']*\2)\s*\)\s*\.\s*to(?:Be|Equal|StrictEqual)?\(\s*\1\s*\)|\bexpect\(\s*(?:true|1)\s*\)\s*\.\s*(?:toBeTruthy|to\.be\.true|toBeDefined)/u,
    says: "asserts something of a constant",
  },
  {
    rule: "empty_assertion",
    pattern: /\bassert(?:\.ok|\.isTrue|True|_true|!)?\s*\(?\s*(?:True|true|1|1 == 1|1 === 1)\s*(?:[,);]|$)/u,
    says: "asserts something of a constant",
  },
  {
    rule: "empty_assertion",
    pattern: /\bassert(?:\.\w+|Equals?|_eq!|_equal)\s*\(\s*(true|false|\d+|(["'])[^"']*\2)\s*,\s*\1\s*[,)]/u,
    says: "compares a constant with itself",
  },
  {
    rule: "weakened_test",
    pattern: /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}|\bexcept\b[^:]*:\s*pass\b|\brescue\b.*\bnil\b/u,
    says: "swallows what an assertion says",
  },
  {
    rule: "runner_changed",
    pattern: /\bpytest_(?:runtest_\w+|collection_modifyitems|report\w+|sessionfinish|exception_interact)\b|\bhookwrapper\b/u,
    says: "changes what the runner reports",
  },
  {
    rule: "early_exit",
    pattern:
      /\bprocess\.(?:exit|abort|kill|reallyExit)\s*\(|\bprocess\.exitCode\s*=|\b(?:os\._exit|sys\.exit)\s*\(|\bos\.Exit\s*\(|\bprocess::(?:exit|abort)\s*\(|\bSystem\.exit\s*\(|\bEnvironment\.Exit\s*\(/u,
    says: "ends the process, and with it the tests behind it",
  },
];

/** What makes code behave otherwise, or be judged otherwise, while it is tested. */
export const codeSigns: readonly Sign[] = [
  {
    rule: "test_aware",
    pattern:
      /\b(?:VITEST(?:_\w+)?|JEST_WORKER_ID|NODE_TEST_CONTEXT|PYTEST_CURRENT_TEST|DROVER_REPORT)\b|NODE_ENV["'\])]*\s*={2,3}\s*["']test["']|\bimport\.meta\.vitest\b/u,
    says: "asks whether a test is running",
  },
  {
    rule: "test_aware",
    pattern:
      /["'](?:pytest|unittest|_pytest)["']\s+in\s+sys\.modules|\btesting\.Testing\(\)|\bcfg!\(test\)|\bRAILS_ENV\b.*\btest\b|\bsys\._getframe\b|\binspect\.stack\(/u,
    says: "asks whether a test is running",
  },
  {
    rule: "runner_changed",
    pattern:
      /\b(?:assert|AssertionError|expect|chai|unittest\.TestCase)(?:\.prototype)?(?:\.\w+)?\s*=(?!=)|\bObject\.defineProperty\(\s*(?:assert|expect|globalThis\s*,\s*["'](?:assert|expect|test|it))/u,
    says: "puts something in the place of the asserting library",
  },
  {
    rule: "runner_changed",
    pattern:
      /\b(?:require|import)\b[^\n]*["'](?:node:test|vitest|@jest\/globals|node:assert(?:\/strict)?|mocha|chai)["']|^\s*(?:import|from)\s+(?:pytest|unittest|_pytest)\b/u,
    says: "takes hold of the test runner outside of a test",
  },
];

/** Where the added lines of a file show one of these signs. */
export function signsIn({ path, added }: FileChange, signs: readonly Sign[]): GateFinding[] {
  return added.flatMap(({ line, text }) => {
    if (isComment(text)) return [];
    const sign = signs.find(({ pattern }) => pattern.test(text));
    return sign ? [{ rule: sign.rule, file: path, line, message: `${path}:${line} ${sign.says}: ${text.trim().slice(0, 120)}` }] : [];
  });
}

function isComment(text: string): boolean {
  return /^\s*(?:\/\/|#(?!\[)|\*|--)/u.test(text);
}

const ASSERTION = /\b(?:assert\w*|expect\w*|should|t\.(?:Error|Fatal)f?|require\.\w+)\b/u;

/** A test file that asserts less than before. */
export function weakening({ path, status, added, removed }: FileChange): GateFinding[] {
  if (status !== "changed") return [];
  const gone = removed.filter(({ text }) => ASSERTION.test(text));
  const come = added.filter(({ text }) => ASSERTION.test(text));
  const [first] = gone;
  if (first === undefined || come.length >= gone.length) return [];
  const message = `${path}:${first.line} was taken away, and the file asserts less than before: ${first.text.trim().slice(0, 120)}`;
  return [{ rule: "weakened_test", file: path, line: first.line, message }];
}

const MOCK =
  /\b(?:vi|jest|mock|td|t\.mock)\.(?:mock|doMock|module|replace|setMock|unstable_mockModule)\(\s*["']([^"']+)["']|\bpatch(?:\.object)?\(\s*["']?([\w.]+)["']?(?:\s*,\s*["'](\w+)["'])?|\bproxyquire\b.*["'](\.[^"']+)["']/u;

/** A test that puts something in the place of what it is to test: what the request names, or what the same file imports to call it. */
export function mocking({ path, added }: FileChange, isAsked: (name: string) => boolean): GateFinding[] {
  const imports = added.filter(({ text }) => /\b(?:import|from|require)\b/u.test(text) && !MOCK.test(text)).map(({ text }) => text);
  return added.flatMap(({ line, text }) => {
    const names =
      MOCK.exec(text)
        ?.slice(1)
        .filter((name) => name !== undefined) ?? [];
    const isSubject = names.some(
      (name) => isAsked(lastPart(name)) || imports.some((one) => one.includes(`"${name}"`) || one.includes(`'${name}'`)),
    );
    if (isComment(text) || !isSubject) return [];
    const message = `${path}:${line} puts a mock in the place of what it is to test: ${text.trim().slice(0, 120)}`;
    return [{ rule: "mocked_subject" as const, file: path, line, message }];
  });
}

/** `slug` of `../src/slug.ts`, `shop.slug` and `shop::slug`. */
export function lastPart(name: string): string {
  const file = name.replace(/\.(?:[cm]?[jt]sx?|py|rb|php)$/u, "");
  return file.split(/[/\\.:]+/u).findLast((part) => part !== "") ?? file;
}
