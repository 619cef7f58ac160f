import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { AppError, messageOf } from "../../base/errors.ts";
import type { ToolWork } from "./audited-tool.ts";
import type { SearchRequest } from "./find-matches.ts";
import { refusal } from "./refusal.ts";
import type { SearchMessage } from "./search-thread.ts";
import { openFolder } from "./workspace-files.ts";

const MATCHES_MAX = 200;
const WITHIN_MS = 20_000;
const MEMORY_MAX_MB = 256;
const THREAD = new URL("search-thread.ts", import.meta.url);

const Input = z.object({
  pattern: z.string().min(1).max(1000).describe("A regular expression of JavaScript, for one line at a time."),
  path: z.string().default(".").describe("A folder, from the workspace."),
  glob: z.string().max(200).nullable().default(null).describe("Only these files: *.ts by name, src/**/*.ts by path from the folder."),
  ignoreCase: z.boolean().default(false),
});

export function createSearch(clock: Clock): ToolWork<z.infer<typeof Input>> {
  return {
    name: "search",
    description: `Searches the text files of a folder and all below it, but for node_modules, by a regular expression. At most ${MATCHES_MAX} lines.`,
    input: Input,
    subjectOf: ({ path, pattern }) => `${path} for ${pattern}`,
    work: async (input, { workspace }, signal) => {
      // What is refused needs no thread.
      await (await openFolder(workspace, input.path))[Symbol.asyncDispose]();
      const { lines, end } = await search({ ...input, workspace }, clock, signal);
      const note = { done: "", full: "There are more; make the pattern or the glob narrower.", late: LATE }[end];
      if (lines.length === 0) return `[Nothing found.${note && ` ${note}`}]`;
      return note ? `${lines.join("\n")}\n[${note}]` : lines.join("\n");
    },
  };
}

const LATE = `The search was ended after ${WITHIN_MS / 1000} s. Search a smaller folder, or by a simpler pattern.`;

interface Found {
  readonly lines: readonly string[];
  readonly end: "done" | "full" | "late";
}

/** In a thread of its own, which is gone when this resolves or rejects. */
async function search(request: SearchRequest, clock: Clock, signal: AbortSignal): Promise<Found> {
  signal.throwIfAborted();
  const thread = new Worker(THREAD, { workerData: request, env: {}, resourceLimits: { maxOldGenerationSizeMb: MEMORY_MAX_MB } });
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Found>();
  thread.on("message", (message: SearchMessage) => {
    if (message.type === "done") return resolve({ lines, end: "done" });
    if (message.type === "failed") return reject(message.refused ? refusal(message.message) : new AppError("invalid", message.message));
    if (lines.length === MATCHES_MAX) return resolve({ lines, end: "full" });
    lines.push(message.line);
  });
  thread.once("error", (cause) => reject(new AppError("unavailable", `The search failed: ${messageOf(cause)}.`, { cause })));
  const cancel = clock.setTimer(WITHIN_MS, () => resolve({ lines, end: "late" }));
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await promise;
  } finally {
    cancel();
    signal.removeEventListener("abort", abort);
    await thread.terminate();
  }
}
