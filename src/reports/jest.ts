import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { TestResult } from "../contract/test-report.ts";
import { failed, type ReportReader, went } from "./results.ts";

const Report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().nullish(),
      assertionResults: z.array(
        z.object({
          title: z.string(),
          ancestorTitles: z.array(z.string()).default([]),
          status: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** The JSON of Jest, which Vitest writes too. A test's name stands behind its file's. */
export const readJest: ReportReader = (text) => {
  const report = Report.safeParse(parsed(text)).data;
  if (report === undefined) throw new AppError("invalid", "A test report is not the JSON of Jest or Vitest.");
  return report.testResults.flatMap(({ name: file, status, message, assertionResults }): TestResult[] => {
    if (assertionResults.length === 0) return status === "failed" ? [failed(file, message ?? "", { file, isWhole: true })] : [];
    return assertionResults.map((one) => {
      const name = [file, ...one.ancestorTitles, one.title].join(" > ");
      if (one.status === "failed") return failed(name, (one.failureMessages ?? []).join("\n"), { file });
      return went(one.status === "passed" ? "passed" : "skipped", name, file);
    });
  });
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said above, as of a report of another form.
    return undefined;
  }
}
