import type { Event } from "../contract/event.ts";
import { useQuery } from "./live/use-live.ts";

/** The registered projects with what their tasks are at. */
export function useProjects() {
  return useQuery("projects", (client, signal) => client.listProjects({ query: { limit: 500 }, signal }), changesProjects);
}

function changesProjects({ type }: Event): boolean {
  return /^(?:project|config)\.|^task\.(?:created|status_changed)$/.test(type);
}
