import { describe } from "vitest";
import { describeDriver } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realOpencode } from "../support/real-agents.ts";

describe.skipIf(!needs("opencode", "network-namespace").ok)("OpenCode", () => {
  describeDriver("opencode", realOpencode);
});
