import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { createDrivers } from "./registry.ts";

test("every driver goes by its own name", () => {
  const drivers = createDrivers(systemClock);
  expect([...drivers.keys()]).toEqual(["claude", "command", "acp"]);
  for (const [name, driver] of drivers) expect(driver.name).toBe(name);
});
