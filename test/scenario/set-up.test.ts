import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { TestHome } from "../support/daemon.ts";
import { makeRepository } from "../support/repository.ts";

test("a set-up that was changed is done anew, on a base that was set up in the old way too", async () => {
  await using home = await TestHome.make({
    agents: {
      writes: { driver: "command", command: ["sh", "-c", `date +%N > work.txt; echo '{"type":"turn_ended","verdict":{"ok":true}}'`] },
    },
    defaults: { agent: "writes" },
  });
  const { path } = makeRepository(join(home.folder, "api"), { files: { ".drover/config.yaml": "version: 1\n", ".gitignore": "made\n" } });
  const daemon = await home.start();
  await daemon.client.registerProject({ body: { path } });
  const log = join(home.folder, "set-ups");
  for (const [index, how] of ["one", "two"].entries()) {
    const file = join(path, ".drover/config.yaml");
    const checks = [{ name: "made", command: `test "$(cat made)" = ${how}` }];
    writeFileSync(file, stringify({ version: 1, workspace: { setup: `echo ${how} >> made; pwd >> ${log}` }, checks }));
    let changes = 0;
    await daemon.until(({ type }) => type === "config.changed" && (changes += 1) > index);
    await daemon.client.createTask({ body: { project: "api", title: how } });
    const { status, runs } = await daemon.settledTask(`api#${index + 1}`);
    const [outcome] = runs.map((run) => run.outcome);
    const proof = outcome?.status === "succeeded" ? outcome.proof : undefined;
    expect([status, proof?.checks.map(({ base, head }) => [base.exitCode, head.exitCode])]).toEqual(["succeeded", [[0, 0]]]);
  }
  const folders = readFileSync(log, "utf8").trimEnd().split("\n");
  expect([folders.length, new Set(folders).size]).toEqual([4, 3]);
});
