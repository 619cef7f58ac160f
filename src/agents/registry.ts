import type { Clock } from "../base/clock.ts";
import { acpDriver } from "./acp.ts";
import { claudeDriver } from "./claude.ts";
import { codexDriver } from "./codex.ts";
import { commandDriver } from "./command.ts";
import type { Driver } from "./driver.ts";
import { geminiDriver } from "./gemini.ts";
import { humanDriver } from "./human.ts";
import { opencodeDriver } from "./opencode.ts";

/** Every driver by the name that an agent's `driver` setting uses. */
export function createDrivers(clock: Clock): ReadonlyMap<string, Driver> {
  const made = [claudeDriver, codexDriver, geminiDriver, opencodeDriver, acpDriver].map((driver) => driver(clock));
  return new Map([...made, commandDriver, humanDriver].map((driver) => [driver.name, driver]));
}
