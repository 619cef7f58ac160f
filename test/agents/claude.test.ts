import { join } from "node:path";
import { describe } from "vitest";
import { claudeDriver } from "../../src/agents/claude.ts";
import { systemClock } from "../../src/base/clock.ts";
import { AgentConfig } from "../../src/contract/config.ts";
import { describeDriver, type DriverSubject } from "../conformance/driver.ts";
import { needs } from "../support/needs.ts";
import { openNetworkNamespace } from "../support/network-namespace.ts";

const claude = join(import.meta.dirname, "../../node_modules/.bin/claude");

/** The real Claude Code, in a network namespace of its own whose only way out is the scripted model. */
const subject: DriverSubject = {
  driver: claudeDriver(systemClock),
  open: async ({ socket }) => {
    const namespace = await openNetworkNamespace(socket);
    return {
      agent: AgentConfig.parse({ driver: "claude", command: [...namespace.enter, claude] }),
      env: { ANTHROPIC_BASE_URL: namespace.url, ANTHROPIC_API_KEY: "test-key", CLAUDE_CODE_MAX_RETRIES: "1" },
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  },
};

describe.skipIf(!needs("claude", "network-namespace").ok)("Claude Code", () => {
  describeDriver("claude", subject);
});
