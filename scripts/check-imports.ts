/**
 * Holds the folders of src/ to the arrows of architecture.json. Fails on an import that has no arrow, an arrow that no import uses,
 * a folder that is not listed, arrows that run in a circle, files that import each other in a circle, and on having looked at nothing.
 * Tests may import anything.
 */
import { readFileSync } from "node:fs";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import { z } from "zod";

const Architecture = z.strictObject({
  $comment: z.string(),
  /** Folder of src/ to the folders it may import. */
  folders: z.record(z.string(), z.array(z.string())),
  /** Package or built-in module to the folders of src/ that may import it; one that is not listed is open to all. */
  packages: z.record(z.string(), z.array(z.string())),
});
type Architecture = z.infer<typeof Architecture>;

const architecture = Architecture.parse(JSON.parse(readFileSync("architecture.json", "utf8")));
const cruised = await cruise(
  ["src"],
  {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "\\.test\\.ts$|^src/demo/sample/" },
    outputType: "json",
  },
  { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
);
const { modules } = JSON.parse(cruised.output as string) as ICruiseResult;
const sources = modules.filter((module) => module.source.startsWith("src/"));
const problems = [...circlesOfFolders(architecture.folders), ...wrongImports(architecture)];
for (const problem of problems) console.error(problem);
console.log(`${sources.length} modules of src/ looked at, ${problems.length} problems.`);
process.exitCode = problems.length > 0 ? 1 : 0;

function wrongImports({ folders, packages }: Architecture): string[] {
  if (sources.length === 0) return ["No module was looked at: is dependency-cruiser able to read TypeScript?"];
  const problems = new Set<string>();
  const used = new Set<string>();
  for (const { source, dependencies } of sources) {
    const from = folderOf(source);
    if (!(from in folders)) problems.add(`${from}/ is not in architecture.json (${source}).`);
    for (const { module, resolved, circular, couldNotResolve } of dependencies) {
      if (couldNotResolve) problems.add(`${source} imports ${module}, which does not exist.`);
      if (circular) problems.add(`${source} and ${resolved} import each other, directly or in a circle.`);
      if (resolved.startsWith("src/")) {
        const to = folderOf(resolved);
        if (to === from) continue;
        used.add(`${from} -> ${to}`);
        if (!folders[from]?.includes(to)) problems.add(`${source} imports ${resolved}, but ${from}/ may not import ${to}/.`);
      } else {
        const name = packageOf(module);
        used.add(`${from} -> ${name}`);
        if (packages[name] && !packages[name].includes(from)) problems.add(`${source} imports ${name}, but ${from}/ may not.`);
      }
    }
  }
  const arrows = [...arrowsOf(folders), ...Object.entries(packages).flatMap(([name, froms]) => froms.map((from) => `${from} -> ${name}`))];
  for (const arrow of arrows) if (!used.has(arrow)) problems.add(`${arrow} is in architecture.json, but nothing uses it.`);
  return [...problems].toSorted();
}

function circlesOfFolders(folders: Architecture["folders"]): string[] {
  const done = new Set<string>();
  const problems: string[] = [];
  const walk = (folder: string, path: readonly string[]) => {
    if (path.includes(folder))
      problems.push(`architecture.json has a circle: ${[...path.slice(path.indexOf(folder)), folder].join(" -> ")}.`);
    if (done.has(folder) || path.includes(folder)) return;
    for (const to of folders[folder] ?? []) walk(to, [...path, folder]);
    done.add(folder);
  };
  for (const folder of Object.keys(folders)) walk(folder, []);
  return problems;
}

function arrowsOf(folders: Architecture["folders"]): string[] {
  return Object.entries(folders).flatMap(([from, tos]) => tos.map((to) => `${from} -> ${to}`));
}

function folderOf(path: string): string {
  return path.split("/")[1] ?? path;
}

/** `@scope/name` or `name` of an import such as `@scope/name/part`; `node:fs` stands for `node:fs/promises` too. */
function packageOf(module: string): string {
  const [first = module, second] = module.split("/");
  return first.startsWith("@") ? `${first}/${second ?? ""}` : first;
}
