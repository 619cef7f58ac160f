import { expect, test } from "vitest";
import type { Finding } from "../../contract/doctor.ts";
import { judgeClock, judgeDisk, judgeFileSystem, judgeGit, judgeNode } from "./machine.ts";

const now = Date.parse("2026-11-20T12:00:00Z");

const judged: [found: string, finding: Finding, level: Finding["level"]][] = [
  ["Node.js 24.21.0", judgeNode("24.21.0"), "ok"],
  ["Node.js 24.9.0", judgeNode("24.9.0"), "fail"],
  ["git 2.39.5", judgeGit("git version 2.39.5"), "ok"],
  ["Apple's git", judgeGit("git version 2.39.5 (Apple Git-154)"), "ok"],
  ["git 2.38", judgeGit("git version 2.38.0"), "ok"],
  ["git 2.37", judgeGit("git version 2.37.7"), "warn"],
  ["git 2.9", judgeGit("git version 2.9.1"), "fail"],
  ["no git", judgeGit("what?"), "fail"],
  ["100 GB free", judgeDisk(100e9), "ok"],
  ["4 GB free", judgeDisk(4e9), "warn"],
  ["100 MB free", judgeDisk(1e8), "fail"],
  ["ext4", judgeFileSystem(0xef53), "ok"],
  ["NFS", judgeFileSystem(0x6969), "fail"],
  ["a clock that is right", judgeClock(now, now - 1000), "ok"],
  ["a clock without a database", judgeClock(now, null), "ok"],
  ["a clock that went back", judgeClock(now, now + 3_600_000), "warn"],
  ["a clock that lost its battery", judgeClock(0, null), "fail"],
];
test.each(judged)("%s: %j is %s", (_found, finding, level) => {
  expect(finding.level).toBe(level);
  expect(finding.remedy === null).toBe(level === "ok");
});
