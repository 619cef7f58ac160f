import { describeProcessHost } from "../conformance/process-host.ts";
import { openRealHost } from "../support/host-fixture.ts";

describeProcessHost("the real one", openRealHost);
describeProcessHost("the real one where the kernel limits nobody", () => openRealHost({ proc: "/nowhere" }));
