import { z } from "zod";
import { AppError } from "../../base/errors.ts";
import type { ToolWork } from "./audited-tool.ts";
import { nearestLines } from "./nearest-lines.ts";
import { FILE_MAX_BYTES, readText, writeText } from "./workspace-files.ts";

const PLACES_MAX = 5;

const Input = z.object({
  path: z.string().describe("From the workspace, such as src/main.ts."),
  old: z.string().min(1).describe("The text to replace, exactly as it stands in the file, with enough around it to be there once."),
  new: z.string().describe("The text to put in its place."),
  all: z.boolean().default(false).describe("Replace it wherever it stands."),
});
type Input = z.infer<typeof Input>;

export const edit: ToolWork<Input> = {
  name: "edit",
  description: "Replaces a text in a file of the workspace that stands there exactly once, or, with all, wherever it stands.",
  input: Input,
  subjectOf: ({ path }) => path,
  work: async (input, { workspace }) => {
    const text = await readText(workspace, input.path);
    const pieces = text.split(input.old);
    const count = pieces.length - 1;
    if (count === 0) throw missing(text, input);
    if (count > 1 && !input.all) throw doubled(text, pieces, input);
    // Told before it is made: a short text in very many places can become more than there is memory.
    if (text.length + count * (input.new.length - input.old.length) > FILE_MAX_BYTES)
      throw new AppError("invalid", `${input.path} would be larger than ${FILE_MAX_BYTES} bytes.`);
    await writeText(workspace, input.path, pieces.join(input.new));
    return `Replaced ${count === 1 ? "it" : `it ${count} times`} in ${input.path}.`;
  },
};

function missing(text: string, { path, old }: Input): AppError {
  const nearest = nearestLines(text, old);
  const hint = text.includes("\r\n") && !old.includes("\r\n") ? " The lines of this file end with CR LF." : "";
  const shown = nearest === undefined ? "Read the file again." : `What is most like it:\n${nearest}`;
  return new AppError("invalid", `The old text is not in ${path}.${hint} ${shown}`);
}

function doubled(text: string, pieces: readonly string[], { path, old }: Input): AppError {
  let at = 0;
  const lines = pieces.slice(0, PLACES_MAX).map((piece) => {
    at += piece.length + old.length;
    return text.slice(0, at - old.length).split("\n").length;
  });
  const count = pieces.length - 1;
  const places = `${lines.slice(0, count).join(", ")}${count > PLACES_MAX ? " ..." : ""}`;
  return new AppError(
    "invalid",
    `The old text is ${count} times in ${path}, from lines ${places} on. Take more of what is around it, or set all to replace every one.`,
  );
}
