/**
 * Holds the documents to the code: what is generated is up to date (each `scripts/generate-*.ts` run with `--check`), and every link
 * to a file or a heading of this repository leads somewhere.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { globSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const documents = globSync(["*.md", "docs/**/*.md"]);
const problems = [...globSync("scripts/generate-*.ts").flatMap(stale), ...documents.flatMap(brokenLinks)];
for (const problem of problems) console.error(problem);
console.log(`${documents.length} documents looked at, ${problems.length} problems.`);
process.exitCode = problems.length > 0 || documents.length === 0 ? 1 : 0;

function stale(script: string): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  return status === 0 ? [] : [`${script} --check failed: ${stdout}${stderr}`.trim()];
}

function brokenLinks(document: string): string[] {
  const text = readFileSync(document, "utf8").replace(/```[\s\S]*?```/gu, "");
  return [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/gu)].flatMap(([, path = "", heading]) => {
    const target = path === "" ? document : normalize(join(dirname(document), path));
    if (!existsSync(target)) return [`${document} links to ${path}, which does not exist.`];
    if (heading === undefined || headingsOf(target).includes(heading)) return [];
    return [`${document} links to ${path}#${heading}, but there is no such heading.`];
  });
}

/** The anchors GitHub makes of a document's headings. */
function headingsOf(document: string): string[] {
  return [...readFileSync(document, "utf8").matchAll(/^#+ (.+)$/gmu)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
