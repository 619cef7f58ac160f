import assert from "node:assert/strict";
import { test } from "node:test";
import { count } from "../src/count.js";

test("each word is counted", () => assert.deepEqual(count("No, no."), { no: 2 }));
test("a word that every object knows is a word", () => assert.deepEqual(count("constructor"), { constructor: 1 }));
