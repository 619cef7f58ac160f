import packageFile from "../../../package.json" with { type: "json" };
import { personTools } from "../../mcp/person-tools.ts";
import { serveTools } from "../../mcp/serve.ts";
import type { Cli } from "../cli.ts";

/** Serves until the agent has gone. The daemon is looked for at each call, so that it may be started, and started anew, meanwhile. */
export async function serve(cli: Cli): Promise<void> {
  await serveTools(
    personTools(() => cli.connect()),
    packageFile.version,
  );
}
