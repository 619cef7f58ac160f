import { z } from "zod";

/** What is around an agent's process: nothing, a window that people can look into, a container, a sandbox of the system. */
export const IsolationName = z.enum(["process", "tmux", "docker", "sandbox"]);
export type IsolationName = z.infer<typeof IsolationName>;

/** Those that keep what runs in them from the rest of the machine. */
export const confiningIsolations: readonly IsolationName[] = ["docker", "sandbox"];
