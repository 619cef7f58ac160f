import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { branchName, isBranchName, taskSlug } from "./branch-name.ts";

const prefixes = fc.stringMatching(/^[a-z0-9][a-z0-9/-]{0,12}$/);
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.constantFrom(
    "$(rm -rf ~)",
    "`id`",
    "; reboot #",
    "..",
    "@{-1}",
    "-delete",
    "--force",
    "a.lock",
    "HEAD",
    "日本語の課題",
    "🚀🚀",
    "a\nb",
    "\u3000;id",
    "../../etc/passwd",
    "",
    "-",
  ),
);

function gitTakes(branch: string): boolean {
  // What is refused for a branch besides what is refused for a ref: it could be taken for an option or for HEAD.
  if (branch.startsWith("-") || branch === "HEAD") return false;
  return spawnSync("git", ["check-ref-format", `refs/heads/${branch}`]).status === 0;
}

describe("branchName", () => {
  test("puts number and title behind the prefix", () => {
    expect(branchName("drover/", 12, "Fix the Login!")).toBe("drover/12-fix-the-login");
    expect(branchName("bot-", 7, "Ünïcode")).toBe("bot-7-u-ni-code");
    expect(branchName("a//b/", 1, "x")).toBe("a/b/1-x");
  });

  test("is never empty and never holds anything but letters, digits, slash and hyphen", () => {
    expect(branchName("drover/", 3, "日本語")).toBe("drover/3-task");
    fc.assert(
      fc.property(prefixes, fc.nat(), hostile, (prefix, number, title) => {
        expect(branchName(prefix, number, title)).toMatch(/^[a-z0-9][a-z0-9/-]*$/);
        expect(taskSlug(number, title)).toMatch(/^\d+-[a-z0-9][a-z0-9-]*$/);
      }),
    );
  });

  test("is a name that git takes, whatever the title", () => {
    fc.assert(
      fc.property(prefixes, fc.nat(), hostile, (prefix, number, title) => gitTakes(branchName(prefix, number, title))),
      { numRuns: 100 },
    );
  });
});

describe("isBranchName", () => {
  test("says of names what git says", () => {
    const names = fc.oneof(
      fc.stringMatching(/^[a-z./@{}~^:?*[\\ -]{1,8}$/),
      fc.constantFrom(
        "main",
        "HEAD",
        "@",
        "a..b",
        "a.lock",
        "a.lock/b",
        "-x",
        "x/-y",
        "a/.b",
        "a//b",
        "/a",
        "a/",
        "a.",
        "日本",
        "@{u}",
        "refs/heads/x",
        "x@{",
      ),
    );
    fc.assert(
      fc.property(names, (name) => {
        expect([name, isBranchName(name)]).toEqual([name, gitTakes(name)]);
      }),
      { numRuns: 150 },
    );
  });
});
