import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples, wholeNumber } from "./options.ts";

const load = () => import("../commands/daemon.ts");

export function defineDaemon(program: Command, act: Act): void {
  const daemon = program.command("daemon").description("start, stop and look at the daemon");
  start(daemon, act);
  stop(daemon, act);
  restart(daemon, act);
  status(daemon, act);
  logs(program, act);
}

/** Whether everything is there that Drover needs. */
export function defineDoctor(program: Command, act: Act): void {
  examples(program.command("doctor").description("look at what Drover needs: programs, agents and their logins, port, disk, permissions"), [
    "drover doctor",
    "needs no daemon; exits with 1 when something fails",
  ]).action(act(async () => (await import("../commands/doctor.ts")).doctor));
}

/** The database. */
export function defineStore(program: Command, act: Act): void {
  const store = program.command("store").description("back up and check the database");
  const loadStore = () => import("../commands/store.ts");
  examples(store.command("backup").description("copy the database, while it is in use or not"), [
    "drover store backup",
    "prints where the copy is",
  ]).action(act(async () => (await loadStore()).backup));
  examples(store.command("verify").description("check the database: integrity, references, counters, histories"), [
    "drover store verify",
    "exits with 1 when anything is wrong",
  ]).action(act(async () => (await loadStore()).verify));
}

/** What is typed most, at the top level too. */
export function defineShortcuts(program: Command, act: Act): void {
  start(program, act);
  stop(program, act);
  restart(program, act);
  status(program, act);
}

function start(parent: Command, act: Act): void {
  const command = parent
    .command("start")
    .description("start the daemon and wait until it answers")
    .option("--foreground", "stay attached to it and end with it")
    .option("--timeout <seconds>", "how long to wait for it", wholeNumber, 30);
  examples(
    command,
    ["drover daemon start", "prints the address and the pid"],
    ["drover daemon start --foreground", "for a service manager or a container"],
  ).action(act(async () => (await load()).start));
}

function stop(parent: Command, act: Act): void {
  const command = modes(parent.command("stop").description("stop the daemon; agents at work are left to the next one"));
  examples(
    command,
    ["drover daemon stop", "at once; running agents go on and are taken over"],
    ["drover daemon stop --drain", "wait for running agents first"],
  ).action(act(async () => (await load()).stop));
}

function restart(parent: Command, act: Act): void {
  const command = modes(parent.command("restart").description("stop the daemon if it runs, and start it")).option(
    "--timeout <seconds>",
    "how long to wait for it",
    wholeNumber,
    30,
  );
  examples(command, ["drover daemon restart", "agents at work are taken over"]).action(act(async () => (await load()).restart));
}

function modes(command: Command): Command {
  return command
    .option("--drain", "wait for the agents to end; nothing new starts")
    .option("--kill", "save the agents' work, end them, and queue their tasks again");
}

function status(parent: Command, act: Act): void {
  const command = parent.command("status").description("what the daemon is and does now");
  examples(
    command,
    ["drover daemon status", "exits with 5 when no daemon runs"],
    ["drover daemon status --json", "the same for a script"],
  ).action(act(async () => (await load()).status));
}

function logs(parent: Command, act: Act): void {
  const command = parent
    .command("logs")
    .description("show a log of Drover; it needs no daemon (what a task did: drover task logs)")
    .option("-f, --follow", "go on with what is written")
    .option("--api", "the API's log: a line a request")
    .option("--worker <number>", "the log of a worker", wholeNumber)
    .option("-n, --lines <count>", "begin with so many lines", wholeNumber, 50);
  examples(command, ["drover logs -f", "the daemon's log, live"], ["drover logs --worker 1 --json", "as JSON, a line each"]).action(
    act(async () => (await import("../commands/logs.ts")).logs),
  );
}
