import fc from "fast-check";
import { expect, test } from "vitest";
import { accountHold, capAt, freshAccount, noteOverload, noteServed, noteUsageLimit, servesAgainAt } from "./governor.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = 1_000_000_000;
/** The longest of what chance allows. */
const most = () => 1;

test("an account that was never refused anything holds up nothing", () => {
  expect(accountHold(freshAccount, 1000, NOW)).toBeUndefined();
  expect(servesAgainAt(freshAccount, NOW)).toBeNull();
});

test("an overload halves what may run, and a minute without one gives one back", () => {
  const slowed = noteOverload(freshAccount, 8, NOW, most);
  expect([0, 59_999, MINUTE, 4 * MINUTE].map((ms) => capAt(slowed, NOW + ms))).toEqual([4, 4, 5, 8]);
  expect(accountHold(slowed, 0, NOW + 1)).toEqual({ reason: "overloaded", until: NOW + 20_000 });
  expect(accountHold(slowed, 3, NOW + 20_000)).toBeUndefined();
  expect(accountHold(slowed, 4, NOW + 20_000)).toEqual({ reason: "overloaded", until: NOW + MINUTE });
});

test("what several agents tell of one overload counts once; one after another counts each, with longer pauses", () => {
  const first = noteOverload(freshAccount, 8, NOW, most);
  expect(noteOverload(first, 8, NOW + 19_999, most)).toBe(first);
  const second = noteOverload(first, 8, NOW + 20_000, most);
  expect([second.cap, second.pausedUntil]).toEqual([2, NOW + 60_000]);
  const third = noteOverload(second, 2, NOW + 60_000, most);
  expect([third.cap, third.pausedUntil]).toEqual([1, NOW + 140_000]);
  expect(noteOverload(third, 1, NOW + HOUR, most)).toMatchObject({ cap: 1, pausedUntil: NOW + HOUR + 20_000 });
});

test("a usage limit holds up the account until the time that the provider named, and the latest of several", () => {
  const limited = noteUsageLimit(freshAccount, NOW + 5 * HOUR, NOW, most);
  expect(accountHold(limited, 0, NOW + 5 * HOUR - 1)).toEqual({ reason: "usage_limit", until: NOW + 5 * HOUR });
  expect(accountHold(limited, 100, NOW + 5 * HOUR)).toBeUndefined();
  expect(noteUsageLimit(limited, NOW + HOUR, NOW + 1, most).limitedUntil).toBe(NOW + 5 * HOUR);
});

test.each([
  ["no time", null],
  ["a time that is past", NOW - 1],
])("where the provider named %s the wait grows with each limit in a row, and one run goes first after it", (_, resetAt) => {
  const waits: number[] = [];
  let account = freshAccount;
  for (let now = NOW, times = 0; times < 7; times += 1) {
    account = noteUsageLimit(account, resetAt, now, most);
    expect(noteUsageLimit(account, resetAt, now + 1, most)).toBe(account);
    const until = servesAgainAt(account, now) ?? 0;
    expect([0, 1].map((running) => accountHold(account, running, until)?.reason)).toEqual([undefined, "overloaded"]);
    waits.push((until - now) / MINUTE);
    now = until;
  }
  expect(waits).toEqual([15, 30, 60, 120, 240, 300, 300]);
  expect(noteServed(account)).toMatchObject({ limits: 0, overloads: 0 });
});

const refusal = fc.record({
  afterMs: fc.nat(20 * MINUTE),
  running: fc.integer({ min: 1, max: 64 }),
  kind: fc.constantFrom("overload", "limit", "limit until", "served"),
});

test("whatever the provider says: a refused account pauses, what may run never grows by more than one a minute, and it always serves again", () => {
  fc.assert(
    fc.property(fc.array(refusal, { maxLength: 40 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (refusals, roll) => {
      let account = freshAccount;
      let now = NOW;
      for (const { afterMs, running, kind } of refusals) {
        const before = capAt(account, now);
        now += afterMs;
        expect(capAt(account, now)).toBeLessThanOrEqual(before + Math.ceil(afterMs / MINUTE));
        if (kind === "overload") account = noteOverload(account, running, now, () => roll);
        if (kind === "limit") account = noteUsageLimit(account, null, now, () => roll);
        if (kind === "limit until") account = noteUsageLimit(account, now + HOUR, now, () => roll);
        if (kind === "served") account = noteServed(account);
        if (kind !== "served") expect(servesAgainAt(account, now)).toBeGreaterThan(now);
        if (account.cap !== null) expect(capAt(account, now)).toBeGreaterThanOrEqual(1);
        expect(accountHold(account, 0, now + 6 * HOUR)).toBeUndefined();
      }
    }),
  );
});
