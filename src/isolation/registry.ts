import type { Isolation } from "./isolation.ts";
import { processIsolation } from "./process.ts";

/** Every isolation by the name that the setting `defaults.isolation` uses. */
export function createIsolations(): ReadonlyMap<string, Isolation> {
  return new Map([processIsolation].map((isolation) => [isolation.name, isolation]));
}
