import assert from "node:assert/strict";
import { test } from "node:test";
import { initials } from "../src/initials.js";

test("two names", () => assert.equal(initials("Ada Byron"), "AB"));
