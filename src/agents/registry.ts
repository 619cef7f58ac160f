import type { Clock } from "../base/clock.ts";
import { acpDriver } from "./acp.ts";
import { claudeDriver } from "./claude.ts";
import { commandDriver } from "./command.ts";
import type { Driver } from "./driver.ts";

/** Every driver by the name that an agent's `driver` setting uses. */
export function createDrivers(clock: Clock): ReadonlyMap<string, Driver> {
  return new Map([claudeDriver(clock), commandDriver, acpDriver(clock)].map((driver) => [driver.name, driver]));
}
