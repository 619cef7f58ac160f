import { randomUUIDv7 } from "node:crypto";

/** Makes a new id, `task_0191...`: typed by its prefix, sortable by time of making (order of events is `sequence`, never the id). */
export function newId<Prefix extends string>(prefix: Prefix): `${Prefix}_${string}` {
  return `${prefix}_${randomUUIDv7()}`;
}
