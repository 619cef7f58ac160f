import { expect, test } from "vitest";
import { readArguments, type Command } from "./arguments.ts";

const ask = (calls: unknown[], show: object, bodyFile: string | null = null) => ({
  kind: "ask",
  calls,
  show: { json: null, only: {}, ...show },
  bodyFile,
});

test.each<[string, object]>([
  ["issue view", ask([{ call: "issue" }], { as: "issue" })],
  ["issue view 7 -R acme/api", ask([{ call: "issue", repository: "acme/api", number: 7 }], { as: "issue" })],
  ["issue view #7 --comments", ask([{ call: "comments", number: 7 }], { as: "comments" })],
  ["issue view https://github.com/acme/api/issues/7", ask([{ call: "issue", repository: "acme/api", number: 7 }], { as: "issue" })],
  [
    "issue view 7 --json=title,comments",
    ask(
      [
        { call: "issue", number: 7 },
        { call: "comments", number: 7 },
      ],
      { as: "issue", json: ["title", "comments"] },
    ),
  ],
  ["issue list -s all -L 5 -l bug", ask([{ call: "issues", state: "all", limit: 5 }], { as: "issues", only: { label: "bug" } })],
  ["pr list --state merged", ask([{ call: "pulls", state: "closed", limit: 30 }], { as: "pulls", only: { state: "merged" } })],
  ["pr diff 3 --name-only", ask([{ call: "pull_files", number: 3 }], { as: "names" })],
  ["pr checks", ask([{ call: "checks" }], { as: "checks" })],
  ["issue comment 7 --body -x", ask([{ call: "comment", number: 7, body: "-x" }], { as: "word" })],
  ["pr edit -F -", ask([{ call: "edit_pull" }], { as: "word" }, "-")],
  ["repo view acme/other", ask([{ call: "repository", repository: "acme/other" }], { as: "repository" })],
  ["auth status", ask([{ call: "repository" }], { as: "login" })],
  [
    "api /repos/acme/api/issues?state=all&per_page=5",
    ask([{ call: "issues", limit: 5, repository: "acme/api", state: "all" }], { as: "rest" }),
  ],
  ["api repos/:owner/:repo/contents/a%20b/c.js?ref=v1", ask([{ call: "file", path: "a b/c.js", ref: "v1" }], { as: "rest" })],
  ["api repos/{owner}/{repo}/pulls/3/files", ask([{ call: "pull_files", number: 3 }], { as: "rest" })],
])("gh %s", (line, command) => {
  expect(readArguments(line.split(" "))).toEqual(command);
});

test.each([
  "pr merge 3",
  "auth token",
  "api graphql",
  "api user",
  "api repos/acme/api/hooks",
  "api -X POST repos/acme/api/issues",
  "api repos/acme/api/issues -f title=x",
  "issue view main",
  "issue view 1 2",
  "issue view --web",
  "issue view --json",
  "issue list -L none",
  "issue list -s merged",
  "issue comment 7",
  "issue edit 7 --title x",
  "pr checks 3",
  "secret list",
])("gh %s is refused, with what there is", (line) => {
  expect(readArguments(line.split(" "))).toEqual({ kind: "fail", text: expect.stringContaining("gh issue view [N]") });
});

test("gh pr create says who opens it; help and version need nobody", () => {
  const said: Command[] = [["pr", "create", "--fill"], [], ["--version"]].map((argv) => readArguments(argv));
  expect(said).toEqual([
    { kind: "say", text: expect.stringMatching(/^Drover opens the pull request itself/) },
    { kind: "say", text: expect.stringContaining("gh issue list") },
    { kind: "say", text: expect.stringMatching(/^gh version/) },
  ]);
});
