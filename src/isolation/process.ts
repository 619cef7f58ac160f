import type { Isolation } from "./isolation.ts";

/** Nothing around it: what the agent may do is what its user may do. */
export const processIsolation: Isolation = {
  name: "process",
  confines: false,
  detect: async () => ({ available: true, version: process.platform }),
  bringsAgent: () => false,
  wrap: async ({ command }) => command,
  release: async () => {},
  sweep: async () => [],
};
