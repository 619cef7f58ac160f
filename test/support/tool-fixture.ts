import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { AppError } from "../../src/base/errors.ts";
import { createTools } from "../../src/builtin/tools/registry.ts";
import type { ToolAudit, ToolContext, ToolName } from "../../src/builtin/tools/tool.ts";
import { PATH } from "./held-command.ts";
import { processesNaming } from "./leftovers.ts";

/** A workspace with the tools of our own agent. Disposing of it fails when a process is left. */
export interface ToolFixture extends AsyncDisposable {
  /** Around the workspace, and none of the model's business. */
  readonly folder: string;
  readonly workspace: string;
  /** The environment of commands; names `folder`, by which its processes are found. */
  readonly env: Readonly<Record<string, string>>;
  readonly audited: ToolAudit[];
  /** Uses a tool as a model does: what it says, or the message of its failure. */
  use(tool: ToolName, input: Readonly<Record<string, unknown>>, change?: Partial<ToolContext>, signal?: AbortSignal): Promise<string>;
}

export async function openToolFixture(clock: Clock = systemClock): Promise<ToolFixture> {
  const folder = await mkdtemp(join(tmpdir(), "tools-"));
  const workspace = join(folder, "workspace");
  await mkdir(workspace);
  const audited: ToolAudit[] = [];
  const env = { PATH, FIXTURE: folder };
  const tools = new Map(createTools(null, clock).map((tool) => [tool.name, tool]));
  const context: ToolContext = {
    workspace,
    env,
    confine: null,
    commandTimeoutMs: 60_000,
    allowedCommands: null,
    audit: (entry) => audited.push(entry),
  };
  return {
    folder,
    workspace,
    env,
    audited,
    async use(name, input, change = {}, signal = new AbortController().signal) {
      const tool = tools.get(name);
      if (tool === undefined) throw new Error(`There is no tool ${name}.`);
      try {
        return await tool.run(tool.input.parse(input), { ...context, ...change }, signal);
      } catch (failure) {
        if (failure instanceof AppError && failure.code !== "internal") return failure.message;
        throw failure;
      }
    },
    async [Symbol.asyncDispose]() {
      await expect.poll(() => processesNaming(folder), { timeout: 20_000 }).toEqual([]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
