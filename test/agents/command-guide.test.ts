import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { commandDriver } from "../../src/agents/command.ts";
import { AgentConfig } from "../../src/contract/config.ts";
import { openBench } from "../conformance/driver.ts";

const guide = await readFile(join(import.meta.dirname, "../../docs/guides/command-agent.md"), "utf8");
const example = (language: string) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "su").exec(guide)?.[1] ?? "";

test("the example agent of the guide works as the guide says", async () => {
  const { agents } = parse(example("yaml")) as { agents: { mine: unknown } };
  const agent = AgentConfig.parse(agents.mine);
  const bench = await openBench(
    { driver: commandDriver, open: async () => ({ agent, env: {}, async [Symbol.asyncDispose]() {} }) },
    { scenarios: [] },
  );
  const program = join(bench.home, "my-agent.mjs");
  await writeFile(program, example("js"));
  Object.assign(agent, { command: [process.execPath, program] });

  const run = await bench.start({ prompt: "Please write this down." });
  const { verdict, report, end } = await run.conclude();

  expect({ verdict, report, end }).toEqual({
    verdict: { ok: true },
    report: "The request is in NOTES.md.",
    end: { state: "exited", exitCode: 0, signal: null },
  });
  expect(run.events).toEqual([
    { type: "message", text: "I was given 23 characters." },
    { type: "tool_called", id: "1", tool: "write", input: '{"path":"NOTES.md"}' },
    { type: "tool_finished", id: "1", tool: "write", failed: false },
    { type: "turn_ended", verdict: { ok: true }, report: "The request is in NOTES.md.", stdin: '{"type":"end"}\n' },
  ]);
  expect(await readFile(join(bench.workspace, "NOTES.md"), "utf8")).toBe("Please write this down.");
});

test("every line that the guide names is understood", () => {
  const lines = [...guide.matchAll(/^\| `(\{"type":.*?\})` *\|/gmu)].map(([, line = ""]) => line.replace('"input":...', '"input":{}'));
  const [fromUs, fromAgent] = [lines.slice(0, 3), lines.slice(3)];
  expect(fromUs.map((line) => (JSON.parse(line) as { type: string }).type)).toEqual(["prompt", "answer", "end"]);
  const understood = fromAgent.map((line) => commandDriver.openReader().read(line)[0]?.type);
  expect(understood).toEqual(fromAgent.map((line) => (JSON.parse(line) as { type: string }).type));
  expect(new Set(understood).size).toBe(8);
});
