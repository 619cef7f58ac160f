import { expect, test } from "vitest";
import type { Card } from "../../contract/board.ts";
import type { Event } from "../../contract/event.ts";
import { BoardStore } from "./board-store.ts";

const card = (id: string, title: string) => ({ id, title }) as Card;
const event = (type: string, taskId: string | null) => ({ type, taskId }) as Event;
const settled = () => new Promise((resolve) => setTimeout(resolve));

function openStore() {
  const planned: (() => void)[] = [];
  const asked: (readonly string[])[] = [];
  const store = new BoardStore({
    loadAll: () => Promise.resolve({ cards: [card("task_1", "old"), card("task_2", "old")], omitted: 3 }),
    loadSome: (ids) => {
      asked.push(ids);
      return Promise.resolve(ids.map((id) => card(id, "new")));
    },
    later: (_ms, run) => void planned.push(run),
  });
  const pass = async () => {
    for (const run of planned.splice(0)) run();
    await settled();
  };
  return { store, asked, pass };
}

test("events that change cards have just those asked for anew, many at once; what agents say changes none", async () => {
  const { store, asked, pass } = openStore();
  await store.load();
  for (const [type, id] of [
    ["task.status_changed", "task_2"],
    ["run.state_changed", "task_2"],
    ["task.created", "task_3"],
    ["run.message", "task_1"],
    ["run.tool_called", "task_1"],
    ["daemon.started", null],
  ] as const)
    store.onEvent(event(type, id));
  await pass();
  await pass();
  expect(asked).toEqual([["task_2", "task_3"]]);
  const { cards, omitted, isLoaded } = store.board();
  expect([[...cards.values()].map(({ id, title }) => [id, title]), omitted, isLoaded]).toEqual([
    [
      ["task_1", "old"],
      ["task_2", "new"],
      ["task_3", "new"],
    ],
    3,
    true,
  ]);
});

test("more changes than one question takes are asked for by several", async () => {
  const { store, asked, pass } = openStore();
  for (let id = 0; id < 400; id += 1) store.onEvent(event("task.created", `task_${id}`));
  await pass();
  await pass();
  await pass();
  expect(asked.map((ids) => ids.length)).toEqual([150, 150, 100]);
});
