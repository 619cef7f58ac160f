import type { Clock } from "../base/clock.ts";
import { AppError, messageOf } from "../base/errors.ts";
import type { ModelSettings } from "../contract/config.ts";
import { acpDriver } from "./acp.ts";
import { claudeDriver } from "./claude.ts";
import { codexDriver } from "./codex.ts";
import { builtinDriver } from "./builtin.ts";
import { commandDriver } from "./command.ts";
import type { Driver, DriverFactory } from "./driver.ts";
import { geminiDriver } from "./gemini.ts";
import { humanDriver } from "./human.ts";
import { opencodeDriver } from "./opencode.ts";
import { findModule, missingModule } from "./outside-module.ts";

/** The drivers by what an agent's `driver` setting says. */
export interface Drivers {
  /** Throws `invalid`, saying what to do, when there is no such driver or when it is not as it must be. */
  find(name: string): Driver;
  /** The same without a word of why not. */
  get(name: string): Driver | undefined;
}

/**
 * Our own drivers, and those of packages: a name that is none of ours is an npm package's, installed in `home` or beside
 * Drover, or the absolute path of a module. It is loaded when it is first asked for. Only the home's configuration names
 * drivers, so what is loaded is what the person of this machine chose.
 * @param models as they are in force at the moment, for our own agent.
 */
export function createDrivers(clock: Clock, home: string, models: () => ModelSettings): Drivers {
  const made = [claudeDriver, codexDriver, geminiDriver, opencodeDriver, acpDriver].map((driver) => driver(clock));
  return driversOf([...made, commandDriver, humanDriver, builtinDriver(models, home)], (name) => loadDriver(name, clock, home));
}

/** @param load makes a driver that is none of `own`; it is asked once for each name, again only after it threw. */
export function driversOf(own: readonly Driver[], load: (name: string) => Driver = noOther): Drivers {
  const drivers = new Map(own.map((driver) => [driver.name, driver]));
  const find = (name: string): Driver => {
    const driver = drivers.get(name) ?? load(name);
    drivers.set(name, driver);
    return driver;
  };
  const get = (name: string): Driver | undefined => {
    try {
      return find(name);
    } catch {
      return undefined; // whoever needs to know why asks `find`
    }
  };
  return { find, get };
}

function noOther(name: string): never {
  throw new AppError("invalid", `There is no driver ${name}.`);
}

/** Modules of either kind are loaded at once, but for one with a top-level await, which Node.js refuses here. */
function loadDriver(name: string, clock: Clock, home: string): Driver {
  const factory = importDefault(name, home);
  if (typeof factory !== "function") throw unfit(name, "its default export is not a function that makes a driver");
  const driver: unknown = make(factory as DriverFactory, name, clock);
  if (typeof driver !== "object" || driver === null) throw unfit(name, "its function returns no driver");
  const missing = METHODS.filter((method) => typeof (driver as Partial<Driver>)[method] !== "function");
  if (missing.length > 0) throw unfit(name, `its driver has no ${missing.join(", ")}`);
  return driver as Driver;
}

const METHODS = ["detect", "launch", "openReader", "answer"] as const satisfies readonly (keyof Driver)[];

function importDefault(name: string, home: string): unknown {
  const found = findModule(name, home);
  if (!found) {
    const message = `There is no driver ${name}: it is none of Drover's own, and there is ${missingModule(name, home)}`;
    throw new AppError("invalid", message);
  }
  try {
    return (found.require(found.path) as { default?: unknown }).default;
  } catch (thrown) {
    throw unfit(name, `it can't be loaded: ${messageOf(thrown)}`, thrown);
  }
}

function make(factory: DriverFactory, name: string, clock: Clock): unknown {
  try {
    return factory({ clock });
  } catch (thrown) {
    throw unfit(name, `its function failed: ${messageOf(thrown)}`, thrown);
  }
}

function unfit(name: string, why: string, cause?: unknown): AppError {
  return new AppError("invalid", `The driver ${name} can't be used: ${why}. See docs/adding-an-agent.md.`, { cause });
}
