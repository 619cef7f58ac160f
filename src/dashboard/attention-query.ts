import { rankAttention, type AttentionItem } from "../contract/attention.ts";
import type { Client } from "../client/client.ts";
import type { Event } from "../contract/event.ts";
import { useQuery } from "./live/use-live.ts";

/** All that needs a person, the most urgent first. */
export function useAttention() {
  return useQuery("attention", loadAttention, changesAttention);
}

async function loadAttention(client: Client, signal: AbortSignal): Promise<AttentionItem[]> {
  const [tasks, runs, alerts, circuits, branches] = await Promise.all([
    client.listTasks({ query: { status: "blocked", limit: 500 }, signal }),
    client.listRuns({ query: { open: true, limit: 500 }, signal }),
    client.listAlerts({ query: { open: true, limit: 500 }, signal }),
    client.listCircuits({ signal }),
    client.listMerges({ signal }),
  ]);
  return rankAttention({ tasks: tasks.items, runs: runs.items, alerts: alerts.items, circuits: circuits.items, branches: branches.items });
}

function changesAttention({ type }: Event): boolean {
  return /^(?:alert|circuit|branch)\.|^task\.status_changed|^run\.(?:question_|state_changed|ended)|^effect\.done$/.test(type);
}
