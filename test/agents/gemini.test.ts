import { describe } from "vitest";
import { describeDriver } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { realGemini } from "../support/real-agents.ts";

describe.skipIf(!needs("gemini", "network-namespace").ok)("Gemini CLI", () => {
  describeDriver("gemini", realGemini);
});
