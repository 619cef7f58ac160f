import assert from "node:assert/strict";
import { test } from "node:test";
import { price } from "../src/price.js";

test("three pieces cost three times as much", () => assert.equal(price(115, 3), 345));
