import { describe } from "vitest";
import { describeDriver } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realCodex } from "../support/real-agents.ts";

describe.skipIf(!needs("codex", "network-namespace").ok)("Codex", () => {
  describeDriver("codex", realCodex);
});
