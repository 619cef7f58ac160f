import { describeDriver } from "../conformance/driver.ts";
import { builtinSubject } from "../support/builtin-agent.ts";

describeDriver("builtin", builtinSubject("anthropic"));
