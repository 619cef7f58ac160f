import { failed, type ReportReader, went } from "./results.ts";
import { elementsOf, parseXml } from "./xml.ts";

/** The XML of `dotnet test --logger trx`. */
export const readTrx: ReportReader = (text) =>
  elementsOf(parseXml(text), "UnitTestResult").map((result) => {
    const { testName = "", outcome = "" } = result.attributes;
    if (outcome === "Passed") return went("passed", testName);
    if (outcome === "NotExecuted") return went("skipped", testName);
    const said = ["Message", "StackTrace"].flatMap((name) => elementsOf(result, name)).map((element) => element.text.trim());
    return failed(testName, said.join("\n"));
  });
