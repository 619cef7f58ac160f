import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findPrograms } from "./programs.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "programs-")));
  mkdirSync(join(folder, "lib/node_modules/agent/bin"), { recursive: true });
  mkdirSync(join(folder, "bin"));
  for (const file of ["lib/node_modules/agent/bin/agent.js", "single", "secret"]) {
    writeFileSync(join(folder, file), "");
    chmodSync(join(folder, file), 0o755);
  }
  symlinkSync("../lib/node_modules/agent/bin/agent.js", join(folder, "bin/agent"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const find = (argv: [string, ...string[]], programs: string[] = []) =>
  findPrograms({
    command: {
      directory: "/run",
      argv,
      cwd: "/",
      env: { PATH: `${folder}/bin:/usr/bin:/bin` },
      files: {},
      stdin: "",
      marker: "run",
      limits,
    },
    reach: { hosts: [], files: [], programs },
  });
const limits = { memoryBytes: null, cpus: null, processes: null };

test("a program of a package is run from its real place, with the packages around it", async () => {
  const real = `${folder}/lib/node_modules/agent/bin/agent.js`;
  expect(await find(["agent", "--flag"])).toEqual({ argv: [real, "--flag"], files: [`${folder}/lib/node_modules`] });
});

test("the agent's own program is found behind another one, by the name that its driver uses", async () => {
  const found = await find(["/bin/sh", "-c", 'exec "$@"', "sh", "agent", "-p"], [`${folder}/bin/agent`]);
  expect(found.argv.slice(4)).toEqual([`${folder}/lib/node_modules/agent/bin/agent.js`, "-p"]);
  expect(found.files).toEqual([`${folder}/lib/node_modules`]);
});

test("words that are no program of the agent's stay as they are, whatever they name", async () => {
  expect(await find(["/bin/sh", `${folder}/secret`, "agent"])).toEqual({ argv: ["/bin/sh", `${folder}/secret`, "agent"], files: [] });
});

test("a script that the configuration names is there too, and what the system has is not brought along", async () => {
  expect(await find(["env", `${folder}/single`], [`${folder}/single`, "/usr/bin/env"])).toEqual({
    argv: ["env", `${folder}/single`],
    files: [`${folder}/single`],
  });
});
