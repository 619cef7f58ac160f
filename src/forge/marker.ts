import type { EffectId, TaskId } from "../contract/ids.ts";

const MARKER = /^<!-- drover:[^\n]*? -->/;

/** Hidden first line of what we put at a forge for a task: by it we find our own again, also when the answer to its making was lost. */
export function markerOf(taskId: TaskId, kind: "comment" | "pull_request"): string {
  return `<!-- drover:${taskId}:${kind} -->`;
}

/** The same for each comment of an agent's own. */
export function agentMarkerOf(taskId: TaskId, effectId: EffectId): string {
  return `<!-- drover:${taskId}:agent_comment:${effectId} -->`;
}

/** Only at the very beginning: a person who quotes a comment of ours does not become us. */
export function isOurs(body: string): boolean {
  return MARKER.test(body);
}

export function withMarker(marker: string, body: string): string {
  return `${marker}\n${body}`;
}
