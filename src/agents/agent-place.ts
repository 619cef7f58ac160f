import type { Launch } from "./driver.ts";

/**
 * What surrounds an agent in a run, however it is spoken to: settings and sessions of its own, the person's login, and
 * nothing that the repository carries.
 */
export interface AgentPlace extends Required<Pick<Launch, "env" | "files" | "reach">> {
  /** Shell code to be done first, in the workspace; it takes `words` off the arguments (`shift`). */
  readonly before: string;
  readonly words: readonly string[];
}
