import assert from "node:assert/strict";
import { test } from "node:test";
import { total } from "../src/bill.js";

test("an empty bill costs nothing", () => {
  assert.equal(total([]), 0);
});

test("a price counts as often as its quantity says", () => {
  assert.equal(total([{ price: 3.5, quantity: 2 }]), 7);
});

test("cents add up exactly", () => {
  assert.equal(total([{ price: 0.1, quantity: 1 }, { price: 0.2, quantity: 1 }]), 0.3);
});

test("cents stay exact when a quantity is above one", () => {
  assert.equal(total([{ price: 1.15, quantity: 3 }]), 3.45);
});
