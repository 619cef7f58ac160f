import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

/** A program of ours as an MCP server, spoken to by the protocol's own client. */
export interface McpServed extends AsyncDisposable {
  readonly tools: readonly string[];
  /** What a tool says; a failure is `error: ` and why. */
  readonly call: (name: string, input?: Readonly<Record<string, unknown>>) => Promise<string>;
}

export async function openMcp(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<McpServed> {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [...args], env: { PATH: process.env["PATH"] ?? "", ...env } }),
  );
  const { tools } = await client.listTools();
  return {
    tools: tools.map(({ name }) => name),
    async call(name, input = {}) {
      const { content, isError } = await client.callTool({ name, arguments: { ...input } });
      const said = content.map((part) => (part.type === "text" ? part.text : part.type)).join("\n");
      return isError ? `error: ${said}` : said;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
