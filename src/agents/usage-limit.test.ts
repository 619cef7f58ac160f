import { describe, expect, test } from "vitest";
import { readUsageLimit } from "./usage-limit.ts";

const at = Date.parse("2026-11-20T16:33:00Z");

/** What versions 1.0 to 2.1 of Claude Code have said, and when each means. */
const told: [message: string, resetsAt: string][] = [
  ["Claude AI usage limit reached|1795199582", "2026-11-20T18:33:02Z"],
  ["Claude usage limit reached. Your limit will reset at 1pm (Etc/GMT+5).", "2026-11-20T18:00:00Z"],
  ["Claude usage limit reached. Your limit will reset at 9am (America/Chicago).", "2026-11-21T15:00:00Z"],
  ["5-hour limit reached ∙ resets 6pm (UTC)", "2026-11-20T18:00:00Z"],
  ["Session limit reached ∙ resets 9:30pm (Europe/Berlin)", "2026-11-20T20:30:00Z"],
  ["Weekly limit reached · resets 10am (Asia/Seoul) · /upgrade to Max or turn on /extra-usage", "2026-11-21T01:00:00Z"],
  ["Weekly limit reached ∙ resets Nov 27, 5pm (UTC)", "2026-11-27T17:00:00Z"],
  ["You've hit your limit · resets Jan 3, 5pm (Europe/Berlin)", "2027-01-03T16:00:00Z"],
  ["You've hit your session limit · resets 2:30am (Pacific/Auckland)", "2026-11-21T13:30:00Z"],
  ["You've hit your 5-hour limit · resets 6:33pm (UTC)", "2026-11-20T18:33:00Z"],
  ["You've hit your weekly limit · resets Nov 24 at 12am (UTC) · progress saved", "2026-11-24T00:00:00Z"],
  ["You’ve hit your limit for Claude messages. Limits will reset at 9:30 PM (UTC).", "2026-11-20T21:30:00Z"],
  ["You've reached your Opus limit · resets 12pm (UTC)", "2026-11-21T12:00:00Z"],
  ["You're out of extra usage · resets 12am (UTC)", "2026-11-21T00:00:00Z"],
];

describe("the reset time in a message about a used-up allowance", () => {
  test.each(told)("is read: %s", (message, resetsAt) => {
    expect(readUsageLimit(message, at)).toEqual({ resetsAt: Date.parse(resetsAt) });
  });

  test.each(["Weekly limit reached", "You've hit your limit · resets soon", "You've hit your limit · resets 3pm (Not/AZone)"])(
    "is null when it is not told in words we know: %s",
    (message) => {
      expect(readUsageLimit(message, at)).toEqual({ resetsAt: null });
    },
  );

  test("is null for a time of day when nobody knows when it was said", () => {
    expect(readUsageLimit("You've hit your limit · resets 6pm (UTC)", null)).toEqual({ resetsAt: null });
  });

  test("follows the change from summer time that lies between", () => {
    const saturday = Date.parse("2026-10-24T21:00:00Z");
    expect(readUsageLimit("You've hit your limit · resets 5am (Europe/Berlin)", saturday)).toEqual({
      resetsAt: Date.parse("2026-10-25T04:00:00Z"),
    });
  });
});

test.each([
  "API Error: Request rejected (429) · scripted error",
  "Overloaded",
  "Error: max turns reached",
  "The rate limiter in worker.js is wrong",
])("other failures are not about an allowance: %s", (message) => {
  expect(readUsageLimit(message, at)).toBeUndefined();
});
