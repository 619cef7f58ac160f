import { readdir, readFile, realpath } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import type { Project } from "../contract/project.ts";

/** More would crowd out the task. */
const INSTRUCTIONS_MAX = 50_000;

/**
 * What the owner of a project keeps for its agents in their own checkout: the texts of `.drover/prompts/*.md`, and the
 * paths of `.drover/skills/*.md`. Files that a link leads outside are left out.
 */
export async function readKnowledge(project: Project): Promise<{ instructions: string; skills: string[] }> {
  const prompts = await markdownFiles(project, "prompts");
  const texts = await Promise.all(prompts.map((file) => readFile(file, "utf8")));
  return {
    instructions: texts
      .map((text) => text.trim())
      .filter(Boolean)
      .join("\n\n")
      .slice(0, INSTRUCTIONS_MAX),
    skills: await markdownFiles(project, "skills"),
  };
}

async function markdownFiles(project: Project, folder: string): Promise<string[]> {
  const directory = join(project.path, ".drover", folder);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    // Most projects have no such folder.
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  const root = await realpath(project.path);
  const files = await Promise.all(
    names
      .filter((name) => extname(name) === ".md")
      .toSorted()
      .map((name) => realpath(join(directory, name))),
  );
  return files.filter((file) => file.startsWith(root + sep));
}
