/**
 * Everything that must hold before a change is merged, the same here and in CI: `npm run check`. `--static` leaves the tests out;
 * names of steps choose some of them. A step's output is shown when it fails; the tests' output always.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

const steps = ["format", "lint", "types", "imports", "unused", "docs"];
const chosen = process.argv.slice(2).filter((word) => word !== "--static");
const unknown = chosen.filter((name) => ![...steps, "test"].includes(name));
if (unknown.length > 0) throw new Error(`There is no step ${unknown.join(", ")}. Steps: ${steps.join(" ")} test.`);

const wanted = chosen.length > 0 ? steps.filter((name) => chosen.includes(name)) : steps;
const failed = await runAll(wanted);
const tests = chosen.length > 0 ? chosen.includes("test") : !process.argv.includes("--static");
if (tests && (await runScript("test", true)).exitCode !== 0) failed.push("test");
if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}.`);
process.exitCode = failed.length > 0 ? 1 : 0;

/** Runs steps side by side, as many as there are processors. Returns those that failed. */
async function runAll(names: readonly string[]): Promise<string[]> {
  const waiting = [...names];
  const failures: string[] = [];
  const lane = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const startedAt = Date.now();
      const { exitCode, output } = await runScript(name, false);
      console.log(`${exitCode === 0 ? "ok    " : "FAILED"} ${name.padEnd(8)} ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
      if (exitCode === 0) continue;
      failures.push(name);
      console.error(output);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
  return failures;
}

function runScript(name: string, shown: boolean): Promise<{ exitCode: number; output: string }> {
  const env = name === "test" ? { ...process.env, DROVER_COVERAGE: "1" } : process.env;
  const child = spawn("npm", ["run", "--silent", name], { env, stdio: ["ignore", shown ? "inherit" : "pipe", shown ? "inherit" : "pipe"] });
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString("utf8") }));
  });
}
