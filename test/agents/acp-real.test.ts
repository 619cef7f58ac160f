import { describe } from "vitest";
import { describeDriver } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { acpGemini, acpOpencode } from "../support/real-agents.ts";

describe.skipIf(!needs("gemini", "network-namespace").ok)("Gemini CLI over the Agent Client Protocol", () => {
  describeDriver("acp with gemini --acp", acpGemini);
});

describe.skipIf(!needs("opencode", "network-namespace").ok)("OpenCode over the Agent Client Protocol", () => {
  describeDriver("acp with opencode acp", acpOpencode);
});
