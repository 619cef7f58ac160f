import type { TestFailureKind } from "../contract/test-report.ts";

export interface Failure {
  readonly kind: TestFailureKind;
  readonly missing: string | null;
}

/** How assertion libraries begin what they say. */
const ASSERTION =
  /\b(?:AssertionError|AssertionFailedError|ERR_ASSERTION|ComparisonFailure|ExpectationNotMetError|ExpectationFailedException|MultipleFailuresError|AssertException)\b|(?:^|\n)(?:E\s+)?assert\b|assertion (?:`[^`]*` )?failed|Failed asserting that|\bAssert\.\w+\(\) Failure|\bexpect\(.*\)\.|(?:^|\n)\s*Expected\b.*|(?:^|\n)\s*expected:? /u;

const SYNTAX =
  /\b(?:SyntaxError|IndentationError|TabError|ParseError)\b|\bTransform failed\b|\binvalid JS syntax\b|\bsyntax error\b|\bPARSE_ERROR\b|expected .*, found|error CS1\d{3}\b|\bUnexpected (?:token|end of input)\b/iu;

/** What runtimes and compilers say of something that is not there; the group is its name. */
const MISSING: readonly RegExp[] = [
  /Cannot find (?:module|package) ['"]([^'"]+)['"]/u,
  /Failed to resolve import "([^"]+)"/u,
  /Failed to load url (\S+)/u,
  /does not provide an export named ['"]([^'"]+)['"]/u,
  /No matching export in .* for import "([^"]+)"/u,
  /No module named '([^']+)'/u,
  /cannot import name '([^']+)'/u,
  /has no attribute '([^']+)'/u,
  /name '([^']+)' is not defined/u,
  /\b([\w$]+) is not defined\b/u,
  /([\w$]+)\)? is not a (?:function|constructor)\b/u,
  /undefined: (?:\w+\.)?(\w+)/u,
  /has no field or method (\w+)/u,
  /no required module provides package (\S+)|package (\S+) is not in (?:std|GOROOT)/u,
  /unresolved imports? `([^`]+)`/u,
  /cannot find (?:\w+ )*(?:function|value|type|macro|struct|trait|module|crate)[^`\n]*`([^`]+)`/u,
  /no (?:method|function or associated item|associated item|field|variant)[^`\n]*`([^`]+)`/u,
  /could not find `([^`]+)`/u,
  /cannot find symbol[^]*?symbol:\s+\w+ (\w+)/u,
  /package ([\w.]+) does not exist/u,
  /uninitialized constant (\S+)/u,
  /undefined (?:local variable or )?method [`'](\w+[?!]?)'/u,
  /cannot load such file -- (\S+)/u,
  /Class "([^"]+)" not found/u,
  /undefined (?:function|method) (\S+?)\(\)/iu,
  /name '([^']+)' (?:could not be found|does not exist)/u,
  /does not contain a definition for '([^']+)'/u,
];

/** Tells from what a test runner says of a failure why it failed. `said` is the name of the error, if the report has one. */
export function kindOf(message: string, said = ""): Failure {
  if (ASSERTION.test(said)) return { kind: "assertion", missing: null };
  // Asserting libraries quote what they compare, so what they say first counts more than what they quote.
  const first = message.slice(0, 200).split("\n", 1)[0] ?? "";
  if (/^(?:E\s+)?(?:\w+[.:])*\s*(?:AssertionError|AssertionFailedError|assert\b)/u.test(first)) return { kind: "assertion", missing: null };
  // An engine calls a missing export a syntax error.
  const missing = missingIn(message);
  if (missing !== undefined) return { kind: "import", missing };
  if (SYNTAX.test(said) || SYNTAX.test(message)) return { kind: "syntax", missing: null };
  return { kind: ASSERTION.test(message) ? "assertion" : "error", missing: null };
}

function missingIn(message: string): string | undefined {
  for (const pattern of MISSING) {
    const found = pattern.exec(message);
    if (found) return found.slice(1).find((name) => name !== undefined);
  }
  return undefined;
}
