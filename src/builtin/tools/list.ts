import { z } from "zod";
import { safeLine } from "../../base/text.ts";
import type { ToolWork } from "./audited-tool.ts";
import type { Entry, OpenFolder } from "./open-folder.ts";
import { openFolder } from "./workspace-files.ts";
import { isRefusedName } from "./workspace-path.ts";

const LINES_MAX = 1000;
/** Of one folder, so that a large one leaves room for the others. */
const ENTRIES_MAX = 200;
const DEPTH_MAX = 10;

const Input = z.object({
  path: z.string().default(".").describe("A folder, from the workspace."),
  depth: z.int().min(1).max(DEPTH_MAX).default(2).describe("How many folders deep; 1 is what is in it."),
});

export const list: ToolWork<z.infer<typeof Input>> = {
  name: "list",
  description: `Lists files and folders of the workspace, a path each, folders with a slash. At most ${ENTRIES_MAX} of a folder and ${LINES_MAX} in all.`,
  input: Input,
  subjectOf: ({ path }) => path,
  work: async ({ path, depth }, { workspace }, signal) => {
    await using folder = await openFolder(workspace, path);
    const lines: string[] = [];
    await listInto(lines, folder, "", depth, signal);
    if (lines.length === 0) return "[The folder is empty.]";
    return lines.length < LINES_MAX ? lines.join("\n") : `${lines.slice(0, LINES_MAX).join("\n")}\n[And more. List a folder of these.]`;
  },
};

async function listInto(lines: string[], folder: OpenFolder, prefix: string, depth: number, signal: AbortSignal): Promise<void> {
  const entries = (await folder.entries(ENTRIES_MAX + 1)).filter(({ name }) => !isRefusedName(name));
  for (const { name, kind } of entries.slice(0, ENTRIES_MAX)) {
    if (lines.length >= LINES_MAX) return;
    signal.throwIfAborted();
    lines.push(safeLine(prefix + name, 4096) + SUFFIX[kind]);
    if (kind !== "folder" || depth === 1) continue;
    const inner = await openIfStill(folder, name);
    if (inner === undefined) continue;
    await using opened = inner;
    await listInto(lines, opened, `${prefix}${name}/`, depth - 1, signal);
  }
  if (entries.length > ENTRIES_MAX) lines.push(`[More in ${safeLine(prefix || "this folder")}.]`);
}

const SUFFIX: Record<Entry["kind"], string> = {
  file: "",
  folder: "/",
  link: " (symbolic link, not followed)",
  other: " (no plain file)",
};

async function openIfStill(folder: OpenFolder, name: string): Promise<OpenFolder | undefined> {
  try {
    return await folder.openFolder(name);
  } catch {
    return undefined; // it went, or became something else, while we looked; or may not be read: its name is listed
  }
}
