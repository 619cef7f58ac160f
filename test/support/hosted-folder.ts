import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { builtinDriver } from "../../src/agents/builtin.ts";
import type { Launch } from "../../src/agents/driver.ts";
import type { HostedCommand } from "../../src/contract/agent-host.ts";
import { AgentConfig, Config } from "../../src/contract/config.ts";
import { heldFiles } from "../../src/process/held-folder.ts";

/** The key of the provider of such runs. */
export const KEY = "test-key";

/** What a run of our own agent is started with whose model is at an address of this machine; its folders are in `folder`. */
export async function launchOf(folder: string, address: string, prompt: string): Promise<Launch & { readonly workspace: string }> {
  const workspace = join(folder, "workspace");
  await mkdir(workspace, { recursive: true });
  const settings = Config.parse({ providers: { mock: { kind: "anthropic", baseUrl: `${address}/v1`, keyVariable: "MOCK_KEY" } } });
  const launch = builtinDriver(() => settings, join(folder, "home")).launch({
    agent: AgentConfig.parse({ driver: "builtin", model: "mock/small-1", permissions: "all" }),
    prompt,
    workspace,
    configDirectory: join(folder, "config"),
    sessionId: null,
    hooks: null,
    toolServer: null,
    budgetUsd: undefined,
    tools: null,
    sandbox: null,
    path: process.env["PATH"] ?? "",
    env: { MOCK_KEY: KEY, HOME: folder },
  });
  return { ...launch, workspace };
}

/** A held folder as the daemon makes it ready for an agent host. Its marker is the folder's name. */
export async function readyFolder(folder: string, marker: string, address: string, prompt: string): Promise<string> {
  const { stdin, env, workspace } = await launchOf(join(folder, `of-${marker}`), address, prompt);
  const directory = join(folder, marker);
  const { input, command } = heldFiles(directory);
  await mkdir(directory);
  await writeFile(input, stdin);
  await writeFile(command, JSON.stringify({ cwd: workspace, env: { ...env }, marker } satisfies HostedCommand));
  return directory;
}

/** The types of the lines that a run has said. */
export async function saidIn(directory: string): Promise<string[]> {
  const lines = (await readFile(heldFiles(directory).out, "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => (JSON.parse(line) as { type: string }).type);
}
