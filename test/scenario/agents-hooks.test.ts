import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { realClaude, type DriverSubject } from "../support/agent-bench.ts";
import { TestHome } from "../support/daemon.ts";
import { openTestModel } from "../support/model-server.ts";
import { needs } from "../support/needs.ts";
import { realCodex, realGemini, realOpencode } from "../support/real-agents.ts";
import { makeRepository } from "../support/repository.ts";

interface Teller {
  readonly name: "claude" | "codex" | "gemini" | "opencode";
  readonly subject: DriverSubject;
  /** What becomes known of its tools, and who tells it: it writes a file, and fails to do something. */
  readonly tools: readonly string[];
  /** Something that fails with a tool of its own. */
  readonly fails: ModelStep;
}

const outside: ModelStep = { calls: [{ kind: "write", path: "../outside.txt", content: "x" }] };
const command: ModelStep = { calls: [{ kind: "run", command: "sleep 1; exit 3" }] };

const tellers: readonly Teller[] = [
  { name: "claude", subject: realClaude, fails: command, tools: ["agent PostToolUse Write", "agent PostToolUseFailure Bash"] },
  {
    name: "codex",
    subject: realCodex,
    fails: command,
    tools: ["agent PostToolUse Bash", "agent PostToolUse apply_patch", "daemon tool_finished command_execution"],
  },
  { name: "gemini", subject: realGemini, fails: outside, tools: ["agent AfterTool write_file", "daemon tool_finished write_file"] },
  {
    name: "opencode",
    subject: realOpencode,
    fails: outside,
    tools: ["agent tool.execute.after write", "agent tool.execute.error write"],
  },
];

/** The file differs from what the base has, so that there is something to deliver. */
const write: ModelStep = { text: "I write.", calls: [{ kind: "write", path: "notes.txt", content: "hello\n" }] };

for (const { name, subject, fails, tools } of tellers) {
  describe.skipIf(!needs(name, "network-namespace").ok)(`the hooks of ${name}`, () => {
    test("tell the daemon of every tool and every failure, in all categories, and none twice", async () => {
      await using stack = new AsyncDisposableStack();
      const steps = [write, fails, { text: "Done." }];
      const model = stack.use(await openTestModel({ scenarios: [{ when: "Tell what you do", steps }] }));
      const { agent, env } = stack.use(await subject.open(model));
      const { driver, command: argv, model: called } = agent;
      const config = { agents: { teller: { driver, command: argv, model: called, env: Object.keys(env) } } };
      const home = stack.use(await TestHome.make({ ...config, defaults: { agent: "teller", retryAttempts: 1 } }));
      Object.assign(home.env, env);
      const { path } = makeRepository(join(home.folder, "api"));
      const daemon = await home.start();
      await daemon.client.registerProject({ body: { path, name: "api" } });
      await daemon.client.createTask({ body: { project: "api", title: "Tell what you do" } });
      const task = await daemon.settledTask("api#1");
      expect(task.runs[0]?.outcome).toMatchObject({ status: "succeeded" });
      const run = task.runs[0]?.id ?? "";
      const { items } = await daemon.client.listRunHooks({ params: { run }, query: { limit: 500 } });
      expect(
        items
          .filter(({ tool }) => tool !== null)
          .map((hook) => `${hook.source} ${hook.name} ${hook.tool}`)
          .toSorted(),
      ).toEqual(tools);
      expect(new Set(items.map(({ category }) => category))).toEqual(new Set(["tool", "session", "error", "state"]));
      expect(items.filter(({ name: told }) => told === "session_started" || told === "hooks_unreadable")).toEqual([]);
    });
  });
}
