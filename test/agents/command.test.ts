import { AgentConfig } from "../../src/contract/config.ts";
import { commandDriver } from "../../src/agents/command.ts";
import { describeDriver, program } from "../conformance/driver.ts";

describeDriver("command", {
  driver: commandDriver,
  open: async ({ socket }) => ({
    agent: AgentConfig.parse({ driver: "command", command: [process.execPath, program("small-agent.ts")] }),
    env: { MODEL_SOCKET: socket },
    async [Symbol.asyncDispose]() {},
  }),
});
