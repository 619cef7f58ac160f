import assert from "node:assert/strict";
import { test } from "node:test";
import { initials } from "../src/initials.js";

test("two names", () => assert.equal(initials("Ada Byron"), "AB"));

test("each part of a name has its capital", () => {
  assert.equal(initials("Anna Maria Berg"), "AMB");
  assert.equal(initials("jean-luc fox"), "JLF");
  assert.equal(initials(""), "");
});
