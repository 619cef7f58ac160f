import type { TestResult } from "../contract/test-report.ts";
import { failed, type ReportReader, went } from "./results.ts";
import { elementsOf, parseXml, type XmlElement } from "./xml.ts";

/** JUnit's XML, in the dialects of pytest, Mocha, Surefire, Gradle, PHPUnit and others. A test's name stands behind that of its class. */
export const readJunit: ReportReader = (text) => elementsOf(parseXml(text), "testcase").map(resultOf);

function resultOf(testcase: XmlElement): TestResult {
  const { name = "", classname = testcase.attributes["class"] ?? "", file = null } = testcase.attributes;
  const fullName = [classname, name].filter(Boolean).join(" > ");
  const of = (kind: string) => testcase.children.find((child) => child.name === kind);
  const failure = of("failure") ?? of("error");
  if (failure) {
    const { message = "", type = "" } = failure.attributes;
    // pytest tells of a file that it can't import as a test without a class.
    const isWhole = classname === "" && message === "collection failure";
    const own = isWhole ? "" : message;
    return failed(fullName, [own, failure.text.trim()].filter(Boolean).join("\n"), { file, said: type, isWhole });
  }
  return went(of("skipped") ? "skipped" : "passed", fullName, file);
}
