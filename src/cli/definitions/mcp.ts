import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

export function defineMcp(program: Command, act: Act): void {
  const mcp = program
    .command("mcp")
    .description("serve Drover's tools to an agent of your own, over the Model Context Protocol on stdin and stdout");
  examples(mcp, ["claude mcp add drover -- drover mcp", "for Claude Code"], ["codex mcp add drover -- drover mcp", "for Codex"]).action(
    act(async () => (await import("../commands/mcp.ts")).serve),
  );
}
