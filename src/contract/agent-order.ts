import { z } from "zod";
import { AgentConfig } from "./config.ts";
import { SandboxConfig } from "./isolation-config.ts";
import { BuiltinConfig, OrderedModel } from "./provider.ts";
import { RunPlace } from "./run-tools.ts";

/** What the program of the `builtin` agent is told to do: the first line of its stdin. It works in its current directory. */
export const AgentOrder = z.strictObject({
  prompt: z.string(),
  /** A session of its own to go on with; null: a fresh one. */
  sessionId: z.uuid().nullable(),
  /** A folder for what it keeps; absolute. */
  configDirectory: z.string(),
  /** Drover's home; absolute. Its commands do not see it. */
  home: z.string(),
  /** The file to which it appends what was refused; null: nowhere. */
  hookSpool: z.string().nullable(),
  /** What Drover's own tools call for its run; null: it has none of them. */
  drover: RunPlace.nullable(),
  model: OrderedModel,
  effort: AgentConfig.shape.effort,
  permissions: AgentConfig.shape.permissions,
  /** The names of the tools that the stage allows; null: all. */
  tools: z.array(z.string()).nullable(),
  /** Absolute paths of modules with more tools. */
  toolModules: z.array(z.string()),
  /** What the sandbox around its commands is made of; null: they run without one. */
  sandbox: SandboxConfig.nullable(),
  limits: BuiltinConfig,
});
export type AgentOrder = z.infer<typeof AgentOrder>;
