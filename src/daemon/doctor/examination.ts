import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import type { HomePaths } from "../../base/paths.ts";
import type { Config } from "../../contract/config.ts";
import type { Finding } from "../../contract/doctor.ts";

/** What a check has to look at. */
export interface Place {
  readonly paths: HomePaths;
  /** In force here; the defaults where the home's file is wrong. */
  readonly config: Config;
  /** What is wrong with the home's file. */
  readonly configError: string | null;
  /** The environment of who asks; the daemon's may be another when a service manager started it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The same, reduced to the basics and these names: what an agent gets. */
  readonly environment: (names: readonly string[]) => Record<string, string>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Looks at one thing and changes nothing. */
export interface Check {
  readonly name: string;
  readonly look: (place: Place) => Promise<readonly Finding[]>;
}

/** Looks at everything, each thing whatever came of the others. The findings are in the order of the checks. */
export async function examine(place: Place, checks: readonly Check[]): Promise<Finding[]> {
  const looked = checks.map(async ({ name, look }) => {
    try {
      return await look(place);
    } catch (thrown) {
      place.signal.throwIfAborted();
      return [fail(name, `it could not be looked at: ${messageOf(thrown)}`, "See whether this user may.")];
    }
  });
  return (await Promise.all(looked)).flat();
}

export function ok(check: string, found: string): Finding {
  return { check, level: "ok", found, remedy: null };
}

export function warn(check: string, found: string, remedy: string): Finding {
  return { check, level: "warn", found, remedy };
}

export function fail(check: string, found: string, remedy: string): Finding {
  return { check, level: "fail", found, remedy };
}
