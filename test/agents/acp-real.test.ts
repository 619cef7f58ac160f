import { describe, expect, test } from "vitest";
import { describeDriver, openBench, PROMPT } from "../conformance/driver.ts";
import type { DriverSubject } from "../support/agent-bench.ts";
import { needs } from "../support/needs.ts";
import { acpGemini, acpOpencode } from "../support/real-agents.ts";

const agents: [name: "gemini" | "opencode", subject: DriverSubject, version: string][] = [
  ["gemini", acpGemini, "0.61.0"],
  ["opencode", acpOpencode, "1.18.33"],
];

describe.each(agents)("%s over the Agent Client Protocol", (name, subject, version) => {
  describe.skipIf(!needs(name, "network-namespace").ok)("in a namespace", () => {
    describeDriver(`acp with ${name}`, subject);

    test("is found by what it says of itself", async () => {
      const { request } = await openBench(subject, { scenarios: [] });
      const { agent, env, path } = request({ prompt: PROMPT });
      const detection = await subject.driver.detect(agent, { ...env, PATH: path }, new AbortController().signal);
      expect(detection).toMatchObject({ found: true, version, loggedIn: null });
    });
  });
});
