import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/slug.js";

test("a tidy text", () => assert.equal(slug("Two words"), "two-words"));

test("what is neither letter nor digit is left out", () => {
  assert.equal(slug("Hi, you!"), "hi-you");
  assert.equal(slug("!"), "");
});

test("there is one dash between words and none around them", () => assert.equal(slug(" a  b "), "a-b"));
