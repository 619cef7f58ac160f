import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageFile from "../package.json" with { type: "json" };
import { renderMarkdown } from "../src/api/api-page.ts";
import { openApiDocument } from "../src/api/openapi.ts";

// Writes docs/openapi.json and docs/api.md from the route table. With --check it writes nothing, and fails when they differ.

const root = join(import.meta.dirname, "..");
const document = openApiDocument(packageFile.version);
const files = {
  "docs/openapi.json": `${JSON.stringify(document, null, 2)}\n`,
  "docs/api.md": renderMarkdown(document),
};

const stale = Object.entries(files).filter(([name, text]) => readIfThere(join(root, name)) !== text);
if (!process.argv.includes("--check")) for (const [name, text] of stale) writeFileSync(join(root, name), text);
else if (stale.length > 0) {
  console.error(`Out of date: ${stale.map(([name]) => name).join(", ")}. Run: node scripts/generate-api-docs.ts`);
  process.exitCode = 1;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
