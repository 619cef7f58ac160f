import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "../src/words.js";

test("words are without case and punctuation", () => assert.deepEqual(words("No, no. Über!"), ["no", "no", "über"]));
test("a text without words has none", () => assert.deepEqual(words("1 + 1"), []));
