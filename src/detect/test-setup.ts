import type { TestSetup } from "../contract/test-setup.ts";

/** How tests are run, with the usual for all that is not given. */
export function testSetup(given: Pick<TestSetup, "all" | "format" | "files"> & Partial<TestSetup>): TestSetup {
  return { selected: null, coverage: null, reports: [], settings: [], timeoutMs: 600_000, reruns: 3, ...given };
}
