import assert from "node:assert/strict";
import { test } from "node:test";
import { discounted } from "../src/discount.js";

test("half the price", () => assert.equal(discounted(100, 2, 50), 100));
