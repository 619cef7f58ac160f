import { describe, expect, test } from "vitest";
import { codeBlock, codeSpan, quietMarkdown, quietTitle } from "./quiet-text.ts";

/** With the invisible joiner made visible. */
const shown = (text: string) => text.replaceAll("\u2060", "·");

describe("Markdown from outside", () => {
  test.each([
    ["a mention", "ping @octocat and @acme/team, not a@b.example", "ping @·octocat and @·acme/team, not a@·b.example"],
    ["a mention by entity", "&#64;octocat &commat;octocat &amp;", "&·#·64;octocat &·commat;octocat &·amp;"],
    ["an escaped mention", "\\@octocat", "\\@·octocat"],
    ["a closing word", "Fixes #12, closes: acme/api#3", "Fix·es #·12, clos·es: acme/api#·3"],
    ["a closing word with an address", "resolves https://github.com/acme/api/issues/1", "resolv·es https://github.com/acme/api/issues/1"],
    [
      "a closing word with a link",
      "Closed [this](https://github.com/acme/api/issues/1)",
      "Clos·ed [this](https://github.com/acme/api/issues/1)",
    ],
    ["a closing word at the end of a line", "fixes\nhttps://github.com/acme/api/issues/1", "fix·es\nhttps://github.com/acme/api/issues/1"],
    ["an issue by its old form", "see GH-12", "see GH-·12"],
    ["HTML", "a <b>bold</b> <img src=x> a < b", "a <·b>bold<·/b> <·img src=x> a < b"],
    ["a marker", "<!-- drover:task_1:comment -->", "<·!-- drover:task_1:comment -->"],
    ["an image", "![alt](https://evil.example/?secret) ![x][y]", "!·[alt](https://evil.example/?secret) !·[x][y]"],
    ["what hides or reorders", "a\u200bb\u202ec\u001b[31m", "abc"],
    ["plain words", "# 見出し\n\n- a **fix** for `x`", "# 見出し\n\n- a **fix** for `x`"],
  ])("has no voice: %s", (_, text, quiet) => {
    expect(shown(quietMarkdown(text))).toBe(quiet);
  });

  test.each([
    ["a block", "```ts\n@Injectable() // #1 <b>\n```\n@after", "```ts\n@Injectable() // #1 <b>\n```\n@·after"],
    ["a longer fence", "````\n```\n@in\n````\n@after", "````\n```\n@in\n````\n@·after"],
    ["tildes with backticks behind", "~~~ a`b\n@in\n~~~\n@after", "~~~a\n@in\n~~~\n@·after"],
    ["backticks with backticks behind are no fence", "``` a`b\n@after", "``` a`b\n@·after"],
    ["one in a list, which would end with the list", "- a\n  ```\n  @in\n@still in", "- a\n```\n  @in\n@still in\n```"],
    ["one that never ends", "```\n@in", "```\n@in\n```"],
    ["one in a quotation is none", "> ```\n> @in\n@after", "> ```\n> @·in\n@·after"],
    ["an indented line is none", "a\n\n    ```\n@after", "a\n\n    ```\n@·after"],
    ["one that only blanks stand before", "  \n    ```\n@in", "```\n@in\n```"],
    ["a drawing is shown, not drawn", "```mermaid\ngraph\n```", "```text\ngraph\n```"],
  ])("code: %s", (_, text, quiet) => {
    expect(shown(quietMarkdown(text))).toBe(quiet);
  });

  test("is cut when it is very long", () => {
    const quiet = quietMarkdown("🐑".repeat(40_000));
    expect(quiet).toMatch(/\(The rest was cut\.\)$/);
    expect(quiet.length).toBeLessThan(30_100);
  });
});

test("a title is one quiet line", () => {
  expect(shown(quietTitle("Fixes #3\n@all"))).toBe("Fix·es #·3 @·all");
});

test.each([
  ["npm test", "`npm test`"],
  ["a `b` ``c``", "``` a `b` ``c`` ```"],
  ["a | b", "`a \\| b`"],
  ["two\nlines", "`two lines`"],
  ["", "`  `"],
])("code within a line: %j", (text, span) => {
  expect(codeSpan(text)).toBe(span);
});

test("nothing in a code block can end it", () => {
  expect(codeBlock("a\n```\n@b\n````\n")).toBe("`````text\na\n```\n@b\n````\n`````");
});
