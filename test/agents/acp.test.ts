import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { AgentConfig } from "../../src/contract/config.ts";
import { acpDriver } from "../../src/agents/acp.ts";
import { systemClock } from "../../src/base/clock.ts";
import { describeDriver, DONE, fileAppears, LONG, openBench, PROMPT, program, taskScript } from "../conformance/driver.ts";
import type { DriverSubject } from "../support/agent-bench.ts";

const driver = acpDriver(systemClock);
const agent = AgentConfig.parse({ driver: "acp", command: [process.execPath, program("small-acp-agent.ts")] });
const small: DriverSubject = {
  driver,
  lacks: ["retries", "reasons"],
  open: async ({ socket }) => ({ agent, env: { MODEL_SOCKET: socket }, async [Symbol.asyncDispose]() {} }),
};
describeDriver("acp with a small agent", small);

const detect = (command: string[]) =>
  driver.detect({ ...agent, command }, { PATH: process.env["PATH"] ?? "" }, new AbortController().signal);

test("an agent is found when it says over the protocol who it is", async () => {
  expect(await detect(agent.command)).toEqual({ found: true, program: process.execPath, version: "1.2.3", loggedIn: null });
});

test.each([[["no-such-agent"]], [["cat"]], [["false"]]])("%j is told to be no agent, and what to do", async (command) => {
  expect(await detect(command)).toEqual({ found: false, message: expect.stringMatching(/Install it or correct|Agent Client Protocol/u) });
});

test("when the agent dies in the middle of its turn, the run has failed and says how", async () => {
  const { start, workspace } = await openBench(small, taskScript(LONG));
  const run = await start({ prompt: PROMPT });
  await fileAppears(workspace, "started");
  process.kill(pidOf(run.lines), "SIGKILL");
  const { verdict, end } = await run.conclude();
  const message = "The agent ended in the middle of its work, by SIGKILL.";
  expect(verdict).toEqual({ ok: false, reason: "agent_error", message, retryAt: null });
  expect(end).toEqual({ state: "exited", exitCode: 1, signal: null });
});

test("when the bridge dies the agent does not go on", async () => {
  const { start, workspace, host } = await openBench(small, taskScript(LONG));
  const run = await start({ prompt: PROMPT });
  await fileAppears(workspace, "started");
  const pid = pidOf(run.lines);
  process.kill(await parentOf(pid), "SIGKILL");
  expect((await run.conclude()).verdict).toMatchObject({ ok: false, reason: "agent_error" });
  await run.stop(0);
  expect(await statOf(pid)).toMatch(/^Z|^$/u);
  expect(await host.sweep(() => false)).toEqual([]);
});

/** The small agent's, which it names as its session's first word. */
function pidOf(lines: readonly string[]): number {
  const { sessionId } = JSON.parse(lines.find((line) => line.includes("session_started")) ?? "{}") as { sessionId: string };
  return Number(sessionId.split("-")[0]);
}

async function parentOf(pid: number): Promise<number> {
  return Number((await statOf(pid)).split(" ")[1]);
}

/** State, parent and so on, as proc_pid_stat(5) has them; Z: it has ended and nobody has asked how yet. Empty: it is gone. */
async function statOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") ");
  return stat.slice(stat.lastIndexOf(")") + 2);
}

test("a bridge that is told to end before it has a prompt ends its agent and itself", async () => {
  const { request } = await openBench(small, taskScript(DONE));
  const { argv, env } = driver.launch(request({ prompt: PROMPT }));
  const bridge = spawn(argv[0], argv.slice(1), { env, stdio: ["pipe", "ignore", "inherit"] });
  const children = `/proc/${bridge.pid}/task/${bridge.pid}/children`;
  const pid = await vi.waitFor(
    async () =>
      Number(
        z
          .string()
          .min(1)
          .parse(await readFile(children, "utf8")),
      ),
    { timeout: 10_000 },
  );
  const ended = once(bridge, "exit");
  bridge.kill("SIGTERM");
  expect(await ended).toEqual([1, null]);
  expect(await statOf(pid)).toMatch(/^Z|^$/u);
});
