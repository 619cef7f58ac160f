import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import type { ModelScript } from "../../src/demo/model-script.ts";
import { startModelServer, type JournalEntry } from "../../src/demo/model-server.ts";

/** The scripted model on a unix socket, which any network namespace of this machine reaches. */
export interface TestModel extends AsyncDisposable {
  readonly socket: string;
  readonly journal: readonly JournalEntry[];
}

export async function openTestModel(script: ModelScript): Promise<TestModel> {
  const folder = await mkdtemp(join(tmpdir(), "model-"));
  const socket = join(folder, "socket");
  const server = await startModelServer({ script, listen: { socket }, clock: systemClock });
  return {
    socket,
    journal: server.journal,
    async [Symbol.asyncDispose]() {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
