import type { Isolation } from "./isolation.ts";
import { processIsolation } from "./process.ts";
import { createSandbox, type SandboxOptions } from "./sandbox.ts";

/** Every isolation by the name that the setting `defaults.isolation` uses. */
export function createIsolations(options: SandboxOptions): ReadonlyMap<string, Isolation> {
  return new Map([processIsolation, createSandbox(options)].map((isolation) => [isolation.name, isolation]));
}
