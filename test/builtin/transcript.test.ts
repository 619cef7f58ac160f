import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { Transcript } from "../../src/builtin/transcript.ts";
import { ownFolder, scriptedModel, workWith } from "../support/builtin-work.ts";

const ID = "0b5c7d1e-5b8e-4a52-9b7e-1f0e6a2c9d11";
const steps = [{ text: "I look.", calls: [{ kind: "tool" as const, tool: "echo", input: { text: "é\u2028😀" } }] }, { text: "Done." }];

/** A finished session with a tool's use in it, over the wire of a provider. */
async function finished(kind: "anthropic" | "openai" | "google" | "openai-compatible") {
  const { model, journal } = await scriptedModel(kind, { scenarios: [{ when: "TASK:", steps }] });
  const folder = await ownFolder();
  const { work, transcript } = await workWith(model, { transcript: Transcript.begin(folder, ID) });
  await work("TASK: begin.");
  return { model, journal, folder, file: join(folder, "sessions", `${ID}.jsonl`), messages: [...transcript.messages] };
}

test.each(["anthropic", "openai", "google", "openai-compatible"] as const)(
  "a session of %s goes on from its file: the model knows what was",
  async (kind) => {
    const { model, journal, folder, file, messages } = await finished(kind);
    const transcript = Transcript.resume(folder, ID);
    expect(transcript.messages).toEqual(JSON.parse(JSON.stringify(messages)));
    const { work } = await workWith(model, { transcript });
    await work("TASK: go on.");
    const asked = journal.at(-2)?.body ?? "";
    for (const part of ["TASK: begin.", "I look.", "echo: ", "Done.", "TASK: go on."]) expect(asked).toContain(part);
    expect(readFileSync(file, "utf8").split("\n")).toHaveLength(9);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  },
);

test("a last line that was cut is left out, and the next one is whole", async () => {
  const { folder, file, messages } = await finished("anthropic");
  const whole = readFileSync(file, "utf8");
  appendFileSync(file, '{"role":"user","content":"hal');
  const transcript = Transcript.resume(folder, ID);
  expect(transcript.messages).toHaveLength(messages.length);
  transcript.add({ role: "user", content: "next" });
  expect(readFileSync(file, "utf8")).toBe(`${whole}{"role":"user","content":"next"}\n`);
});

test("a call whose result a crash took gets one that says so, once", async () => {
  const { folder, file } = await finished("anthropic");
  const [user = "", called = ""] = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, `${user}\n${called}\n`);
  const output = {
    type: "error-text",
    value: "The agent was ended before this tool's result was known. Look what it did before you go on.",
  };
  const result = { type: "tool-result", toolCallId: expect.any(String), toolName: "echo", output };
  for (const transcript of [Transcript.resume(folder, ID), Transcript.resume(folder, ID)]) {
    expect(transcript.messages).toHaveLength(3);
    expect(transcript.messages[2]).toEqual({ role: "tool", content: [result] });
  }
});

test("a session that is not there, or is broken in its middle, is said to be", async () => {
  const { folder, file } = await finished("anthropic");
  const other = "0b5c7d1e-5b8e-4a52-9b7e-1f0e6a2c9d12";
  expect(() => Transcript.resume(folder, other)).toThrow(/There is no session to go on with at .*9d12\.jsonl/u);
  writeFileSync(file, `{"role":"user","content":"a"}\n{"role":"king"}\n{"role":"user","content":"b"}\n`);
  expect(() => Transcript.resume(folder, ID)).toThrow(AppError);
  expect(() => Transcript.resume(folder, ID)).toThrow(/:2 is no message/u);
});
