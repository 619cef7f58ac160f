import { ReportContent } from "../contract/report.ts";
import { readLastBlock } from "./last-block.ts";

/** The verdict that a report gives in its last YAML block, with findings and what is to be done. Throws as `readLastBlock`. */
export function readVerdict(report: string): ReportContent {
  return readLastBlock(report, "the verdict", ReportContent);
}
