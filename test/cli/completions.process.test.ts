import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { demoAgents } from "../../src/demo/demo.ts";
import { ReportScope, ReportVerdict } from "../../src/contract/report.ts";
import { ChosenDelivery, TaskStatus } from "../../src/contract/task.ts";
import { place, program } from "./running.ts";

test("the completion script of bash loads, and completes by asking drover", async () => {
  await using at = place();
  const script = await at.spawn(["completions", "bash"]);
  expect([script.code, script.err]).toEqual([0, ""]);
  const drover = join(at.root, "drover");
  writeFileSync(drover, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  chmodSync(drover, 0o755);
  // bash-completion's own, which the script expects, reduced to what it gives back here.
  const asked = `_get_comp_words_by_ref() { cur=li; prev=task; words=(drover task li); cword=2; }\n${script.out}\n__drover_complete\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, status } = spawnSync("bash", ["-c", asked], {
    env: { ...process.env, PATH: `${at.root}:${process.env["PATH"]}` },
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([0, "list\n"]);
});

test.each(["zsh", "fish", "powershell"])("there is a script for %s", async (shell) => {
  await using at = place();
  const { code, out } = await at.spawn(["completions", shell]);
  expect(code).toBe(0);
  expect(out).toContain("drover");
});

test("commands and the values of options are offered as the program has them", async () => {
  await using at = place();
  const offered = async (...words: string[]) => {
    const { out } = await at.spawn(["complete", "--", ...words]);
    return out
      .split("\n")
      .slice(0, -2)
      .map((line) => line.split("\t")[0]);
  };
  expect(await offered("que")).toEqual(["queue"]);
  expect(await offered("task", "list", "--status", "")).toEqual([...TaskStatus.options]);
  expect(await offered("task", "add", "--delivery", "")).toEqual([...ChosenDelivery.options]);
  expect(await offered("demo", "--agent", "")).toEqual([...demoAgents]);
  expect(await offered("report", "list", "--scope", "")).toEqual([...ReportScope.options]);
  expect(await offered("report", "list", "--verdict", "")).toEqual([...ReportVerdict.options]);
  expect(await offered("task", "show", "--j")).toEqual([]);
});
