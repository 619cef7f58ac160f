import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

const load = () => import("../commands/queue.ts");

export function defineQueue(program: Command, act: Act): void {
  const queue = program.command("queue").description("look at what waits, pause and clear it");
  examples(queue.command("status", { isDefault: true }).description("what waits, in the order it would start"), [
    "drover queue",
    "the same",
  ]).action(act(async () => (await load()).status));
  definePause(queue, act, true);
  definePause(queue, act, false);
  examples(queue.command("clear").description("cancel every queued task; asks first"), [
    "drover queue clear --yes",
    "where nobody can be asked",
  ]).action(act(async () => (await load()).clear));
}

export function defineQueueShortcuts(program: Command, act: Act): void {
  definePause(program, act, true);
  definePause(program, act, false);
}

function definePause(parent: Command, act: Act, paused: boolean): void {
  const command = parent
    .command(paused ? "pause" : "resume")
    .description(paused ? "start nothing new; what runs goes on" : "start tasks again");
  command.action(act(async () => (await load())[paused ? "pause" : "resume"]));
}
