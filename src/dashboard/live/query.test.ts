import { expect, test } from "vitest";
import type { Event } from "../../contract/event.ts";
import { Query } from "./query.ts";

const event = (type: string) => ({ type }) as Event;
const settled = () => new Promise((resolve) => setTimeout(resolve));

/** A query whose questions are answered, and whose time passes, when the test says so. */
function openQuery() {
  const planned: (() => void)[] = [];
  const asked: PromiseWithResolvers<string>[] = [];
  const query = new Query<string>({
    load: () => {
      const answer = Promise.withResolvers<string>();
      asked.push(answer);
      return answer.promise;
    },
    isAbout: ({ type }) => type === "task.created",
    later: (_ms, run) => void planned.push(run),
  });
  const pass = () => planned.splice(0).forEach((run) => run());
  return { query, asked, pass };
}

test("many events are one question, and those that come while it is under way are one more", async () => {
  const { query, asked, pass } = openQuery();
  query.subscribe(() => {});
  pass();
  asked[0]?.resolve("one");
  await settled();
  for (let count = 0; count < 5; count += 1) query.onEvent(event("task.created"));
  query.onEvent(event("run.message"));
  pass();
  expect(asked).toHaveLength(2);
  query.onEvent(event("task.created"));
  query.onEvent(event("task.created"));
  pass();
  expect(asked).toHaveLength(2);
  asked[1]?.resolve("two");
  await settled();
  pass();
  expect(asked).toHaveLength(3);
  asked[2]?.resolve("three");
  await settled();
  expect(query.answer()).toEqual({ value: "three", error: undefined });
});

test("nothing is asked for what nobody looks at", async () => {
  const { query, asked, pass } = openQuery();
  query.onEvent(event("task.created"));
  pass();
  const leave = query.subscribe(() => {});
  pass();
  asked[0]?.resolve("one");
  await settled();
  leave();
  query.onEvent(event("task.created"));
  pass();
  expect(asked).toHaveLength(1);
});

test("a failure keeps what was known, and says what is the matter", async () => {
  const { query, asked, pass } = openQuery();
  query.subscribe(() => {});
  pass();
  asked[0]?.resolve("one");
  await settled();
  query.refresh();
  pass();
  asked[1]?.reject(new Error("Nothing answers."));
  await settled();
  expect(query.answer()).toEqual({ value: "one", error: new Error("Nothing answers.") });
});
