/** A small project in TypeScript, tested by the runner of Node.js; what is asked of it; and an honest cycle. */
export const textProject = {
  "package.json": JSON.stringify({ name: "text", type: "module", scripts: { test: "node --test" } }),
  "src/words.ts": "export const words = (text: string) => text.split(' ');\n",
  "test/words.test.ts": `import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "../src/words.ts";

test("splits", () => assert.deepEqual(words("a b"), ["a", "b"]));
`,
} as const;

export const SLUG_WANTED = "Write a function slug(text) in src/slug.ts: slug('A b') is 'a-b'.";

/** The imports that a test of slug begins with. */
export const SLUG_IMPORTS = `import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/slug.ts";

`;

export const SLUG_TEST = `${SLUG_IMPORTS}test("joins words with dashes", () => assert.equal(slug("A b"), "a-b"));
test("takes away what is no letter", () => assert.equal(slug("Hi, you!"), "hi-you"));
`;

export const SLUG = `export function slug(text: string): string {
  return (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).join("-");
}
`;
