import { z } from "zod";
import type { ToolWork } from "./audited-tool.ts";
import { writeText } from "./workspace-files.ts";

const Input = z.object({
  path: z.string().describe("From the workspace, such as src/main.ts."),
  content: z.string().describe("All that is to be in the file."),
});

export const write: ToolWork<z.infer<typeof Input>> = {
  name: "write",
  description: "Writes a whole file of the workspace, in the place of one that is there. Makes the folders on the way.",
  input: Input,
  subjectOf: ({ path }) => path,
  work: async ({ path, content }, { workspace }) => {
    await writeText(workspace, path, content);
    return `Wrote ${Buffer.byteLength(content)} bytes to ${path}.`;
  },
};
