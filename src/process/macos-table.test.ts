import { expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { createMacosTable } from "./macos-table.ts";

// As printed by ps of macOS 14; names and numbers are made up.
const PROCESSES = `    1     0     1 Ss     5:03.11 Mon Nov 10 08:00:01 2026    \n  501     1   501 S+     0:01.25 Thu Nov 20 16:20:51 2026    \n  502   501   501 Z      0:00.00 Thu Nov 20 16:20:52 2026    \n  777   501   777 S    1:02:03.50 Thu Nov 20 16:20:53 2026    \n`;
const COMMANDS = `    1 /sbin/launchd\n  501 node agent.js -p DROVER_RUN=fake PATH=/bin DROVER_SCOPE=here DROVER_RUN=run_1 HOME=/Users/a\n  777 sleep 9 PATH=/bin\n`;
const table = createMacosTable(async (argv) => {
  if (argv[0] === "/usr/sbin/sysctl") return "B0071D-1\n";
  if (argv.includes("pid=,rss=")) return "  501  1024\n  777  2048\n";
  if (argv.includes("pid=,command=")) return COMMANDS;
  if (!argv.includes("-p")) return PROCESSES;
  return PROCESSES.split("\n")
    .filter((line) => line.trim().startsWith(`${argv[argv.indexOf("-p") + 1]} `))
    .join("\n");
});
const agent = { pid: 501, startTime: "Thu Nov 20 16:20:51 2026", parent: 1, group: 501 };

test("a process is known by its start time; a zombie and a pid that is not there are none", async () => {
  expect(await table.readBootId()).toBe("B0071D-1");
  expect(await table.find(501)).toEqual(agent);
  expect(await table.find(502)).toBeUndefined();
  expect(await table.find(999)).toBeUndefined();
});

test("the list has marks from environments, processor time and no zombies", async () => {
  expect(await table.list()).toEqual([
    { pid: 1, startTime: "Mon Nov 10 08:00:01 2026", parent: 0, group: 1, cpuMs: 303_110, mark: null },
    { ...agent, cpuMs: 1_250, mark: { scope: "here", marker: "run_1" } },
    { pid: 777, startTime: "Thu Nov 20 16:20:53 2026", parent: 501, group: 777, cpuMs: 3_723_500, mark: null },
  ]);
});

test("memory is resident memory, and nothing asks for that of nobody", async () => {
  expect(await table.measureMemory([agent, { ...agent, pid: 777 }])).toEqual(
    new Map([
      [501, 2 ** 20],
      [777, 2 * 2 ** 20],
    ]),
  );
  expect(await table.measureMemory([])).toEqual(new Map());
});

test("when ps fails, so does the question", async () => {
  const failing = createMacosTable(() => Promise.reject(new AppError("unavailable", "ps failed")));
  await expect(failing.find(501)).rejects.toMatchObject({ code: "unavailable" });
});
