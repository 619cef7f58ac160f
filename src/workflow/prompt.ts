import { readFileSync } from "node:fs";
import { join } from "node:path";
import Handlebars from "handlebars";

const directory = join(import.meta.dirname, "prompts");

/** What a prompt is made of. Everything here is data: text in it that looks like a template stays as it is. */
export interface PromptData {
  readonly project: string;
  readonly baseBranch: string;
  readonly baseCommit: string;
  readonly title: string;
  readonly body: string;
  /** Random letters that the request can't know, to tell where it ends. */
  readonly mark: string;
  readonly checks: readonly string[];
  readonly instructions: string;
  /** Paths of files with knowledge about the project, readable by the agent. */
  readonly skills: readonly string[];
  readonly language: string | null;
  /** How an earlier attempt ended; null: this is the first. */
  readonly earlier: string | null;
  /** What our checks said, for a follow-up in the same session; null: a fresh session. */
  readonly failure: string | null;
}

export type RenderPrompt = (template: string, data: PromptData) => string;

/**
 * Makes the function that renders the templates of `prompts/`. Templates come from the program alone, never from a
 * repository or an issue; a variable that they name and the data lack is an error.
 */
export function createPromptRenderer(): RenderPrompt {
  const handlebars = Handlebars.create();
  for (const partial of ["request", "project"]) handlebars.registerPartial(partial, readTemplate(`${partial}.md`));
  const compiled = new Map<string, (data: PromptData) => string>();
  return (template, data) => {
    let render = compiled.get(template);
    if (!render) {
      render = handlebars.compile<PromptData>(readTemplate(template), { noEscape: true, strict: true });
      compiled.set(template, render);
    }
    return `${render(data).trim()}\n`;
  };
}

function readTemplate(name: string): string {
  return readFileSync(join(directory, name), "utf8");
}
