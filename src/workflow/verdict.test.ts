import { expect, test } from "vitest";
import { readVerdict } from "./verdict.ts";

const block = (text: string) => `Some words.\n\n\`\`\`yaml\n${text}\n\`\`\`\n`;

test("the last block counts, and what it leaves out is nothing", () => {
  const report = `${block("verdict: issue\nsummary: Not this one.")}${block("verdict: clear\nsummary: All is well.")}`;
  expect(readVerdict(report)).toEqual({ verdict: "clear", summary: "All is well.", findings: [], actions: [] });
});

test("findings and actions are read; fences and markup in their texts stay text", () => {
  const text = [
    "verdict: issue",
    "summary: |",
    "  It ends with",
    "  ```",
    "findings:",
    "  - title: <script>alert(1)</script>",
    "    key: script",
    "actions:",
    "  - { action: stop, task: 'api#1', text: It goes nowhere. }",
  ].join("\n");
  expect(readVerdict(block(text))).toEqual({
    verdict: "issue",
    summary: "It ends with\n```",
    findings: [{ title: "<script>alert(1)</script>", severity: "warning", detail: "", key: "script" }],
    actions: [{ action: "stop", task: "api#1", text: "It goes nowhere." }],
  });
});

test.each([
  ["without a block", "All is well.", "The report ends without a block ```yaml with the verdict."],
  ["with another verdict", block("verdict: fine\nsummary: x"), 'expected one of "clear"|"issue"'],
  ["without a summary", block("verdict: clear"), "summary"],
  ["with what nobody asked for", block("verdict: clear\nsummary: x\nmerge: true"), "merge"],
  ["with an action that there is not", block("verdict: clear\nsummary: x\nactions: [{ action: merge, task: a#1, text: y }]"), "actions"],
  [
    "with too many actions",
    block(`verdict: clear\nsummary: x\nactions:\n${"  - { action: stop, task: a#1, text: y }\n".repeat(11)}`),
    "actions",
  ],
  ["with an alias", block("verdict: &a clear\nsummary: *a"), "Aliases are not supported"],
])("a report %s is refused in words for the one who wrote it", (_how, report, why) => {
  expect(() => readVerdict(report)).toThrow(expect.objectContaining({ code: "invalid", message: expect.stringContaining(why) }));
});
