import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { TestResult } from "../contract/test-report.ts";
import { failed, type ReportReader, went } from "./results.ts";

const Report = z.object({
  examples: z.array(
    z.object({
      full_description: z.string(),
      status: z.string(),
      file_path: z.string(),
      exception: z.object({ class: z.string(), message: z.string() }).nullish(),
    }),
  ),
  summary: z.object({ errors_outside_of_examples_count: z.int().default(0) }),
  messages: z.array(z.string()).default([]),
});

/** The JSON of RSpec. A file that can't be loaded is told outside of the examples. */
export const readRspec: ReportReader = (text) => {
  const report = Report.safeParse(parsed(text)).data;
  if (report === undefined) throw new AppError("invalid", "A test report is not the JSON of RSpec.");
  const outside =
    report.summary.errors_outside_of_examples_count === 0 ? [] : report.messages.filter((message) => message.includes("error"));
  return [
    ...outside.map((message) => failed(fileIn(message), message, { isWhole: true, file: fileIn(message) })),
    ...report.examples.map(({ full_description: description, status, file_path: path, exception }): TestResult => {
      const file = path.replace(/^\.\//u, "");
      const name = `${file} > ${description}`;
      if (status === "failed") return failed(name, exception?.message ?? "", { file, said: exception?.class });
      return went(status === "passed" ? "passed" : "skipped", name, file);
    }),
  ];
};

function fileIn(message: string): string {
  return /occurred while loading (?:\.\/)?(\S+?)\.?(?:\n|$)/u.exec(message)?.[1] ?? "outside of the examples";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said above, as of a report of another form.
    return undefined;
  }
}
