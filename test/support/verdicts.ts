import { stringify } from "yaml";
import type { ReportContent } from "../../src/contract/report.ts";

/** What an agent says at the end of a stage that yields a verdict. */
export function verdictReport(content: Partial<ReportContent>, words = "I looked at all of it."): string {
  return `${words}\n\n\`\`\`yaml\n${stringify({ verdict: "clear", summary: "It is as it should be.", ...content })}\`\`\`\n`;
}

/** An order for an agent of the obeying scene: end with these last words. */
export function endsWith(report: string): string {
  const line = JSON.stringify({ type: "turn_ended", verdict: { ok: true }, report });
  // Not echo, which makes new lines of what JSON escapes.
  return `printf '%s\\n' '${line.replaceAll("'", String.raw`'\''`)}'; exit 0`;
}
