import type { TaskDetail } from "../../src/contract/routes.ts";
import type { TestDaemon } from "./daemon.ts";

/**
 * What happened to a task, in its order, but for what the agent says and the state that is concluded from it, and the
 * comments, which come when they come.
 */
export async function wayOf({ client }: TestDaemon, { id }: TaskDetail): Promise<string[]> {
  const { items } = await client.listEvents({ query: { task: id, limit: 500 } });
  return items.flatMap((event) => {
    if (event.type === "task.status_changed") return [`task ${event.data.to}`];
    if (event.type === "run.progressed") return [event.data.progress];
    if (event.type === "run.check_finished") return [`check on ${event.data.tree}: ${event.data.exitCode}`];
    if (event.type === "effect.done") return event.data.kind === "comment" ? [] : [event.data.kind];
    if (["run.message", "run.tool_called", "run.tool_finished", "run.state_changed"].includes(event.type)) return [];
    return [event.type];
  });
}

/** That of a task which mends a check that failed before. */
export const THE_WAY = [
  "task.created",
  "task running",
  "run.started",
  "prompting",
  "run.agent_started",
  "working",
  "run.session_started",
  "run.agent_ended",
  "verifying",
  "check on base: 1",
  "check on head: 0",
  "run.ended",
  "task succeeded",
  "push",
  "pull_request",
];
