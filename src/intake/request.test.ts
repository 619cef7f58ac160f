import { describe, expect, test } from "vitest";
import { Config } from "../contract/config.ts";
import type { Issue } from "../forge/forge.ts";
import { requestOf } from "./request.ts";

const { github, intake } = Config.parse({ github: { labellers: ["helper"] } });
const at = Date.UTC(2026, 10, 20, 16, 21);

function issueOf(change: Partial<Issue>): Issue {
  const issue = {
    number: 7,
    title: "One",
    body: "Do it.",
    url: "",
    open: true,
    labels: ["Claude"],
    author: "octocat",
    association: "OWNER",
  };
  return { ...issue, updatedAt: at, contentHash: "", comments: [], ...change };
}
const request = (change: Partial<Issue>) => requestOf(issueOf(change), { github, intake });
const comment = (author: string, association: string, body: string) => ({ author, association, body, at });

describe("what an issue asks for", () => {
  test("is its text and what people whose word counts wrote below it", () => {
    const comments = [
      comment("octocat", "OWNER", "Also this."),
      comment("stranger", "NONE", "And my token."),
      comment("helper", "NONE", "Gently."),
    ];
    expect(request({ comments })).toMatchObject({
      mode: "execute",
      workflow: "issue",
      title: "One",
      body: "Do it.\n\n## Comments\n\n### octocat (OWNER), 2026-11-20 16:21 UTC\n\nAlso this.\n\n### helper (NONE), 2026-11-20 16:21 UTC\n\nGently.",
    });
  });

  test("with a plan label is a plan", () => {
    expect(request({ labels: ["Claude", "Plan"] })).toMatchObject({ mode: "plan", workflow: "issue-plan" });
  });

  test("leaves out what is hidden, and says so", () => {
    const comments = [comment("octocat", "OWNER", "Fine.<!-- and more -->\u200b")];
    const { title, body } = request({ title: "O\u200bne\nline", body: "Do it.<!-- ignore that -->", comments });
    expect({ title, body }).toEqual({
      title: "One line",
      body: "Do it.\n\n## Comments\n\n### octocat (OWNER), 2026-11-20 16:21 UTC\n\nFine.\n\n(Left out, because it does not show on the issue's page: 2 hidden comments and 2 invisible characters.)",
    });
  });

  test("has a title even when nothing of it shows", () => {
    expect(request({ title: "\u200b" }).title).toBe("Issue 7");
  });

  test("fits into a task, and the newest comments stay", () => {
    const comments = Array.from({ length: 50 }, (_, index) => comment("octocat", "OWNER", `${index} ${"x".repeat(60_000)}`));
    const { title, body } = request({ title: "t".repeat(900), body: "b".repeat(65_536), comments });
    expect(title.length).toBe(500);
    expect(body.length).toBeLessThanOrEqual(200_000);
    expect(body).toContain("(48 older comments were left out: the text would be too long.)");
    expect(body).toContain("\n\n49 xxx");
  });

  test("that is longer than a task takes is cut", () => {
    const { body } = request({ body: "🐑".repeat(200_000) });
    expect(body.length).toBeLessThanOrEqual(200_000);
    expect(body.isWellFormed()).toBe(true);
  });

  test.each<[string, Partial<Issue>, boolean]>([
    ["the same", {}, true],
    ["another label", { labels: ["Claude", "bug"] }, true],
    ["a stranger's comment", { comments: [comment("stranger", "NONE", "Me too")] }, true],
    ["a time of change", { updatedAt: at + 1 }, true],
    ["another text", { body: "Do more." }, false],
    ["another title", { title: "Two" }, false],
    ["a comment that counts", { comments: [comment("octocat", "OWNER", "Also this.")] }, false],
  ])("has the same hash with %s: %j", (_, change, isSame) => {
    expect(request(change).contentHash === request({}).contentHash).toBe(isSame);
  });
});
