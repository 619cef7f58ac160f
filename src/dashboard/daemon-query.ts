import type { Event } from "../contract/event.ts";
import { useQuery } from "./live/use-live.ts";

/** The daemon and its numbers. */
export function useDaemon() {
  return useQuery("daemon", (client, signal) => client.getDaemon({ signal }), changesDaemon);
}

function changesDaemon({ type }: Event): boolean {
  return /^(?:daemon|queue|config)\./.test(type);
}
