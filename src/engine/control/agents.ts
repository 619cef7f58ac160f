import { AppError, messageOf } from "../../base/errors.ts";
import type { AgentStatus } from "../../contract/agent.ts";
import type { AgentConfig } from "../../contract/config.ts";
import type { Run } from "../../contract/run.ts";
import type { Detection } from "../../agents/driver.ts";
import { openRuns } from "../../store/runs.ts";
import { recordRun } from "../../store/transitions.ts";
import { agentDirectory, environmentOf, findAgent, findIsolation } from "../job.ts";
import { audited, requireRun, type ControlParts, type Verbs } from "./scope.ts";

/** The configured agents, and what is said to one that works. */
export function agentVerbs(parts: ControlParts): Verbs<"listAgents" | "sendToRun" | "attachToRun"> {
  const { reader } = parts.database;

  async function statusOf(name: string, agent: AgentConfig, runs: readonly Run[], signal: AbortSignal): Promise<AgentStatus> {
    const driver = parts.drivers.get(agent.driver);
    const detection = await detect(name, agent, signal);
    return {
      name,
      driver: agent.driver,
      found: detection.found,
      program: detection.found ? detection.program : null,
      version: detection.found ? detection.version : null,
      loggedIn: detection.found ? detection.loggedIn : null,
      takesMessages: driver?.say !== undefined,
      problem: problemOf(detection),
      runs: runs
        .filter((run) => run.agent === name)
        .map(({ id, taskKey, stage, progress, state }) => ({ id, taskKey, stage, progress, state })),
    };
  }

  async function detect(name: string, agent: AgentConfig, signal: AbortSignal): Promise<Detection> {
    try {
      const { driver } = findAgent(parts, name);
      return await driver.detect(agent, environmentOf(parts, { agent, driver }), signal);
    } catch (thrown) {
      signal.throwIfAborted();
      // A driver that can't be loaded, or fails: that is what the list is to show.
      return { found: false, message: messageOf(thrown) };
    }
  }

  return {
    async attachToRun({ params, query }) {
      const run = requireRun(reader, params.run);
      const command = run.outcome === null ? await findIsolation(parts, run.isolation).attach?.(run.id, query.readOnly) : undefined;
      if (command !== undefined) return { command: [...command] };
      const why =
        run.outcome !== null
          ? "it has ended"
          : run.isolation === "tmux"
            ? "its window is not there now"
            : `it runs in isolation ${run.isolation}; only tmux has windows`;
      throw new AppError("conflict", `There is nothing to attach to of run ${run.id}: ${why}. See what it prints with: drover agent tail`);
    },

    async listAgents({ signal }) {
      const runs = openRuns(reader);
      const agents = Object.entries(parts.settings.current().agents);
      return { items: await Promise.all(agents.map(([name, agent]) => statusOf(name, agent, runs, signal))) };
    },

    async sendToRun({ params, body, actor }) {
      const run = requireRun(reader, params.run);
      if (run.outcome !== null || run.progress !== "working")
        throw new AppError("conflict", `The agent of run ${run.id} does not work now: there is nobody to tell it to.`);
      const text = findAgent(parts, run.agent).driver.say?.(body.text) ?? null;
      if (text === null) {
        const instead =
          run.questions.length > 0
            ? "Answer what it asks with: drover run answer"
            : "Cancel the task, and file it anew with what is missing";
        throw new AppError("conflict", `Agent ${run.agent} takes no messages while it works (driver ${run.driver}). ${instead}`);
      }
      await parts.host.send(agentDirectory(parts, run), text);
      await audited(parts, { actor, action: "run.send", subject: run.taskKey, detail: { runId: run.id, text: body.text } }, (tx) => {
        const data = { text: body.text, by: actor };
        recordRun(tx, run, {}, [{ type: "run.told", projectId: run.projectId, taskId: run.taskId, runId: run.id, data }]);
      });
      return requireRun(reader, run.id);
    },
  };
}

function problemOf(detection: Detection): string | null {
  if (!detection.found) return detection.message;
  return detection.loggedIn === false
    ? `${detection.program} is not logged in. Start it once by hand and log in, or give its key to the daemon.`
    : null;
}
