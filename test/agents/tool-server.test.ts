import { describe, expect, test, vi } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { DONE, openBench, PROMPT, taskScript } from "../conformance/driver.ts";
import { realClaude, type DriverSubject } from "../support/agent-bench.ts";
import { builtinSubject } from "../support/builtin-agent.ts";
import { needs } from "../support/needs.ts";
import { realCodex, realOpencode } from "../support/real-agents.ts";
import { openToolDouble } from "../support/tool-double.ts";

vi.setConfig({ testTimeout: 180_000 });

type Row = readonly [
  needed: "bwrap" | "claude" | "codex" | "opencode",
  subject: DriverSubject,
  toolOf: (name: string) => string,
  args: string[],
];

/** Else Codex begins before its servers have started, and the scripted model calls at once. */
const REQUIRED = "--config=mcp_servers.drover.required=true";

/** The agents that have Drover's own tools, each by the name that it gives them. */
const agents: readonly Row[] = [
  ["claude", realClaude, (name) => `mcp__drover__${name}`, []],
  ["codex", realCodex, (name) => `mcp__drover__${name}`, [REQUIRED]],
  ["bwrap", await builtinSubject("anthropic"), (name) => name, []],
  ["opencode", realOpencode, (name) => `drover_${name}`, []],
];

describe.each(agents)("%s", (needed, subject, toolOf, args) => {
  test.skipIf(!needs(needed, "network-namespace").ok)("shares and asks by tools of Drover's, with the token of its run", async () => {
    const call = (name: string, input: Readonly<Record<string, unknown>>): ModelStep => ({
      calls: [{ kind: "tool", tool: toolOf(name), input }],
    });
    const steps = [
      call("share", { to: "topic:schema", text: "It is v3." }),
      call("ask", { to: "api#2", text: "Which one?", waitSeconds: 5 }),
      DONE,
    ];
    const { start, folder } = await openBench(subject, taskScript(...steps));
    await using double = await openToolDouble(folder, ({ tool }) => (tool === "ask" ? "The second one." : "Sent to api#2."));
    const run = await start({ prompt: PROMPT, toolServer: double.server, args });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    const token = "Bearer token-of-run-1";
    expect(double.calls).toEqual([
      { token, call: { tool: "share", input: { to: "topic:schema", text: "It is v3." } } },
      { token, call: { tool: "ask", input: { to: "api#2", text: "Which one?", waitSeconds: 5 } } },
    ]);
  });
});
