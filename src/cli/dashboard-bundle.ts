import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const bundle = join(root, "dist/dashboard");
const hashFile = join(bundle, "sources.txt");
/** All that the bundle is made of. */
const sources = ["src/{dashboard,contract,client,words}/**/*.{ts,tsx,css,html,svg}", "package-lock.json"];

/** Whether the bundle is there and was made of what lies here now; a package without sources has the one that it came with. */
export function isBundleFresh(): boolean {
  if (!existsSync(join(root, "src/dashboard/index.html"))) return true;
  return existsSync(hashFile) && readFileSync(hashFile, "utf8") === hashOfSources();
}

/** Makes the bundle of what lies here, in the place of the one before: a daemon that runs serves the new one from then on. */
export async function buildBundle(): Promise<void> {
  const made = `${bundle}-${process.pid}`;
  const hash = hashOfSources();
  const { build } = await import("vite");
  await build({ configFile: join(root, "src/dashboard/vite.config.ts"), build: { outDir: made, emptyOutDir: true }, logLevel: "error" });
  for (const name of globSync("assets/*.{js,css}", { cwd: made })) {
    writeFileSync(join(made, `${name}.br`), brotliCompressSync(readFileSync(join(made, name))));
  }
  writeFileSync(join(made, "sources.txt"), hash);
  mkdirSync(join(root, "dist"), { recursive: true });
  rmSync(bundle, { recursive: true, force: true });
  renameSync(made, bundle);
}

function hashOfSources(): string {
  const hash = createHash("sha256");
  for (const name of globSync(sources, { cwd: root }).toSorted())
    hash
      .update(name)
      .update("\0")
      .update(readFileSync(join(root, name)));
  return hash.digest("hex");
}
