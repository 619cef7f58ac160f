// Opens a queue that was left as a crash leaves it and claims one job: what no restart can be quicker than.

import { BareQueue } from "../parts/bare-queue.ts";

using queue = new BareQueue(process.argv[2] ?? "");
console.log(JSON.stringify({ claimed: await queue.claim() }));
