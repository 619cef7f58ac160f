import { expect, test } from "vitest";
import type { BrokerAnswer, BrokerCheck, BrokerIssue, BrokerPull } from "../../contract/broker.ts";
import type { Shown } from "./arguments.ts";
import { print } from "./text.ts";

const at = "2026-01-01T10:00:00Z";
const issue: BrokerIssue = {
  number: 7,
  title: "Total is wrong",
  body: null,
  state: "open",
  html_url: "https://github.com/acme/api/issues/7",
  user: null,
  author_association: "NONE",
  labels: [{ name: "bug" }, { name: "Claude" }],
  assignees: [{ login: "ada" }],
  milestone: null,
  comments: 1,
  created_at: at,
  updated_at: at,
};
const pull: BrokerPull = {
  number: 8,
  title: "Mend it",
  body: "As asked.",
  state: "closed",
  merged_at: at,
  draft: false,
  html_url: "https://github.com/acme/api/pull/8",
  user: { login: "ada" },
  head: { ref: "mend", sha: "1" },
  base: { ref: "main", sha: "2" },
  created_at: at,
  updated_at: at,
};
const check = (name: string, conclusion: string | null): BrokerCheck => ({ name, status: "completed", conclusion, html_url: null });
const show = (as: Shown["as"], json: string[] | null = null, only: Shown["only"] = {}): Shown => ({ as, json, only });
const printed = (answer: BrokerAnswer, shown: Shown) => print([answer], shown);

test("an issue as text, and its fields as gh names them", () => {
  expect(printed({ call: "issue", value: issue }, show("issue")).text).toBe(
    "title:\tTotal is wrong\nstate:\tOPEN\nauthor:\tghost\nlabels:\tbug, Claude\ncomments:\t1\nassignees:\tada\nmilestone:\t\nnumber:\t7\n--\n",
  );
  const fields = printed({ call: "issue", value: issue }, show("issue", ["body", "state", "author", "assignees"])).text;
  expect(JSON.parse(fields)).toEqual({ body: "", state: "OPEN", author: { login: "ghost" }, assignees: [{ login: "ada" }] });
});

test("a field that does not exist is a mistake, with those that do", () => {
  expect(printed({ call: "issue", value: issue }, show("issue", ["title", "stars"]))).toEqual({
    text: expect.stringMatching(/^Unknown JSON field: "stars"\nAvailable fields:\n {2}assignees\n/),
    exitCode: 1,
    toStderr: true,
  });
});

test("lists, cut to what is wanted", () => {
  const issues: BrokerAnswer = { call: "issues", value: [issue, { ...issue, number: 6, labels: [] }] };
  expect(printed(issues, show("issues", null, { label: "bug" })).text).toBe(`7\tOPEN\tTotal is wrong\tbug, Claude\t${at}`);
  expect(printed(issues, show("issues", ["number"])).text).toBe('[{"number":7},{"number":6}]');
  expect(printed({ call: "issues", value: [] }, show("issues", ["number"])).text).toBe("[]");
  const pulls: BrokerAnswer = { call: "pulls", value: [pull, { ...pull, number: 9, merged_at: null }] };
  expect(printed(pulls, show("pulls", null, { state: "merged" })).text).toBe(`8\tMend it\tmend\tMERGED\t${at}`);
  expect(printed(pulls, show("pulls", null, { head: "other" })).text).toBe("");
});

test("a diff of files that are new, gone, renamed, or no text", () => {
  const file = (filename: string, status: string, more: object) => ({ filename, status, additions: 1, deletions: 1, ...more });
  const value = [
    file("a", "added", { patch: "@@ -0,0 +1 @@\n+a" }),
    file("b", "removed", { patch: "@@ -1 +0,0 @@\n-b" }),
    file("d", "renamed", { previous_filename: "c", patch: "@@ -1 +1 @@\n-c\n+d" }),
    file("e.png", "modified", {}),
  ];
  expect(printed({ call: "pull_files", value }, show("diff")).text).toBe(
    [
      "diff --git a/a b/a\n--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+a",
      "diff --git a/b b/b\n--- a/b\n+++ /dev/null\n@@ -1 +0,0 @@\n-b",
      "diff --git a/c b/d\n--- a/c\n+++ b/d\n@@ -1 +1 @@\n-c\n+d",
      "diff --git a/e.png b/e.png\n(no text, or too long to be shown)",
    ].join("\n"),
  );
  expect(printed({ call: "pull_files", value }, show("names")).text).toBe("a\nb\nd\ne.png");
});

test.each<[string | null, number, string]>([
  ["success", 0, "pass"],
  ["skipped", 0, "skipping"],
  ["failure", 1, "fail"],
  ["cancelled", 1, "cancel"],
  [null, 8, "pending"],
])("a check that is %s ends gh with %d", (conclusion, exitCode, bucket) => {
  const value = [check("lint", "success"), check("test", conclusion)];
  expect(printed({ call: "checks", value }, show("checks"))).toEqual({ text: `lint\tpass\t\t\ntest\t${bucket}\t\t`, exitCode });
});

test("no checks are no success", () => {
  expect(printed({ call: "checks", value: [] }, show("checks")).exitCode).toBe(1);
});
