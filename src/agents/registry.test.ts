import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { Config } from "../contract/config.ts";
import { createDrivers } from "./registry.ts";

const models = () => Config.parse({});

/** A home with one package of a driver. */
async function homeWith(source: string): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "drivers-"));
  onTestFinished(() => rm(home, { recursive: true }));
  const folder = join(home, "node_modules", "drover-driver-mine");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module", "exports": "./index.js" }');
  await writeFile(join(folder, "index.js"), source);
  return home;
}

const WHOLE = `let made = 0;
export default ({ clock }) => ({
  name: "mine " + ++made, detect() {}, launch() {}, openReader() {}, answer() { return String(clock.now() > 0); },
});`;

test.each(["claude", "codex", "gemini", "opencode", "acp", "command", "human", "builtin"])(
  "the driver %s is our own and goes by its name",
  (name) => {
    expect(createDrivers(systemClock, "/nowhere", models).find(name).name).toBe(name);
  },
);

test("a package's driver is found by its name in the home, made once, and given a clock", async () => {
  const drivers = createDrivers(systemClock, await homeWith(WHOLE), models);
  const driver = drivers.find("drover-driver-mine");
  expect(driver.answer({ id: "1", input: "" }, { allow: true, message: "" })).toBe("true");
  expect(drivers.find("drover-driver-mine").name).toBe("mine 1");
  expect(drivers.get("drover-driver-mine")).toBe(driver);
});

test("a driver is found by the absolute path of its module", async () => {
  const path = join(await homeWith(WHOLE), "node_modules/drover-driver-mine/index.js");
  expect(createDrivers(systemClock, "/nowhere", models).find(path).name).toBe("mine 1");
});

const broken: [what: string, source: string, message: string][] = [
  ["does not parse", "export default (", "it can't be loaded: "],
  ["fails while it is loaded", "throw new Error('no model')", "it can't be loaded: no model"],
  ["waits while it is loaded", "await 1; export default () => {}", "it can't be loaded: "],
  ["has no default export", "export const driver = {}", "its default export is not a function that makes a driver"],
  ["fails while it is made", "export default () => { throw new Error('no luck') }", "its function failed: no luck"],
  ["makes nothing", "export default () => {}", "its function returns no driver"],
  ["lacks methods", "export default () => ({ name: 'x', launch() {}, detect() {} })", "its driver has no openReader, answer"],
];
test.each(broken)("a package that %s is refused with the reason", async (_what, source, message) => {
  const drivers = createDrivers(systemClock, await homeWith(source), models);
  expect(() => drivers.find("drover-driver-mine")).toThrow(`The driver drover-driver-mine can't be used: ${message}`);
  expect(drivers.get("drover-driver-mine")).toBeUndefined();
});

test("a driver that is nowhere is refused with what to do", () => {
  const drivers = createDrivers(systemClock, "/nowhere", models);
  const missing = (name: string) => {
    try {
      return drivers.find(name).name;
    } catch (thrown) {
      return thrown instanceof AppError ? `${thrown.code}: ${thrown.message}` : thrown;
    }
  };
  expect(missing("drover-driver-none")).toBe(
    "invalid: There is no driver drover-driver-none: it is none of Drover's own, and there is no package of that name. To install one: npm install --prefix /nowhere drover-driver-none",
  );
  expect(missing("/nowhere/driver.js")).toMatch(/^invalid: There is no driver \/nowhere\/driver\.js: .* no module there$/u);
});
