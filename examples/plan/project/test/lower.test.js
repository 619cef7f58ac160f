import assert from "node:assert/strict";
import { test } from "node:test";
import { lower } from "../src/lower.js";

test("letters become small", () => assert.equal(lower("No, NO."), "no, no."));
