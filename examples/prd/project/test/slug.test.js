import assert from "node:assert/strict";
import { test } from "node:test";
import { slug } from "../src/slug.js";

test("a tidy text", () => assert.equal(slug("Two words"), "two-words"));
