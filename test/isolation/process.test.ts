import { processIsolation } from "../../src/isolation/process.ts";
import { describeIsolation } from "../conformance/isolation.ts";

describeIsolation("process", { open: async () => ({ isolation: processIsolation, async [Symbol.asyncDispose]() {} }) });
