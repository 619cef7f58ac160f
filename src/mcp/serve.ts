import { McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { z } from "zod";
import { messageOf } from "../base/errors.ts";

/** A tool as an agent sees it. `run` says what came of it; what it throws is told to the agent as a failure. */
export interface ServedTool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodObject;
  run(input: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<string>;
}

/**
 * Serves tools over the Model Context Protocol (https://modelcontextprotocol.io) on this process's stdin and stdout, until its client
 * has closed those.
 */
export async function serveTools(tools: readonly ServedTool[], version: string): Promise<void> {
  const closed = Promise.withResolvers<void>();
  const handle = serveStdio(() => serverOf(tools, version), { onerror: (error) => process.stderr.write(`${error.message}\n`) });
  process.stdin.once("end", closed.resolve).once("close", closed.resolve);
  await closed.promise;
  await handle.close();
}

function serverOf(tools: readonly ServedTool[], version: string): McpServer {
  const server = new McpServer({ name: "drover", version }, { capabilities: { tools: {} } });
  for (const tool of tools) {
    // None of them destroys anything, and a client that asks a person before it lets such a tool be used need not.
    const annotations = { destructiveHint: false, openWorldHint: false };
    server.registerTool(tool.name, { description: tool.description, inputSchema: tool.input, annotations }, async (input, { mcpReq }) => {
      try {
        return { content: [{ type: "text", text: await tool.run(input, mcpReq.signal) }] };
      } catch (thrown) {
        return { isError: true, content: [{ type: "text", text: messageOf(thrown) }] };
      }
    });
  }
  return server;
}
