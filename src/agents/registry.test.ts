import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createDrivers } from "./registry.ts";

test("every driver goes by its own name", () => {
  const drivers = createDrivers(systemClock);
  expect([...drivers.keys()]).toEqual(["claude", "codex", "gemini", "opencode", "acp", "command", "human"]);
  for (const [name, driver] of drivers) expect(driver.name).toBe(name);
});
