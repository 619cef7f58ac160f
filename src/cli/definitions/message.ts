import { Option, type Command } from "commander";
import type { Act } from "../action.ts";
import { afterOption, examples, limitOption, wholeNumber } from "./options.ts";

const kinds = ["alert", "query", "share", "stop"];
const load = () => import("../commands/message.ts");
const ofProject = "of one project";

export function defineMessages(program: Command, act: Act): void {
  const message = program.command("message").description("what runs, agents and people tell and ask each other");
  const send = toSomebody(
    message
      .command("send")
      .description("send one; a stop ends its task with the work kept")
      .argument("<kind>", kinds.join(", "))
      .argument("<text...>", "what to say"),
  )
    .option("--timeout <seconds>", "how long a query may wait for its answer", wholeNumber)
    .option("--wait", "wait for the answer of a query; exits with 6 when none comes");
  examples(
    send,
    ["drover message send share --task 'api#42' 'The tables are in db/ now.'"],
    ["drover message send query --task 'api#42' --wait 'Which version?'"],
    ["drover message send stop --task 'api#42' 'It is not wanted any more.'"],
  ).action(act(async () => (await load()).send));
  const list = message
    .command("list", { isDefault: true })
    .description("the messages, the newest first")
    .option("-p, --project <name>", ofProject)
    .option("-t, --task <task>", "sent by a task, or to it")
    .addOption(new Option("--kind <kind>", "only these").choices(kinds))
    .option("--open", "only queries that want an answer")
    .addOption(limitOption())
    .addOption(afterOption());
  examples(list, ["drover message list --open", "what agents want to know of you"]).action(act(async () => (await load()).list));
  message
    .command("show")
    .description("one message, with what became of it for each who is to have it")
    .argument("<message>", "its id")
    .action(act(async () => (await load()).showOne));
  examples(message.command("answer").description("answer a query").argument("<message>", "its id").argument("<text...>", "the answer"), [
    "drover message answer message_019b7a2e-5c00-7000-8000-00000000000a 'The second.'",
  ]).action(act(async () => (await load()).answer));
  defineDeadLetters(message, act);
  defineTopics(message, act);
}

function defineDeadLetters(message: Command, act: Act): void {
  message
    .command("dead")
    .description("what somebody was not to have after all, and why")
    .option("-p, --project <name>", ofProject)
    .addOption(limitOption())
    .addOption(afterOption())
    .action(act(async () => (await load()).dead));
  const replay = toSomebody(
    message.command("replay").description("send a dead letter once more, to somebody else of its project").argument("<message>", "its id"),
  );
  examples(replay, ["drover message replay message_019b7a2e-5c00-7000-8000-00000000000a --task 'api#43'"]).action(
    act(async () => (await load()).replay),
  );
  message
    .command("counters")
    .description("how many were sent, delivered, answered, and dead")
    .action(act(async () => (await load()).counters));
}

function defineTopics(message: Command, act: Act): void {
  message
    .command("topics")
    .description("which tasks are to have what is sent to which topic")
    .option("-p, --project <name>", ofProject)
    .action(act(async () => (await load()).topics));
  for (const [name, does] of [
    ["subscribe", "let a task have what is sent to a topic of its project"],
    ["unsubscribe", "let it no longer have that"],
  ] as const) {
    message
      .command(name)
      .description(does)
      .argument("<task>", "its key: api#42")
      .argument("<topic>", "such as schema")
      .action(act(async () => (await load())[name]));
  }
}

function toSomebody(command: Command): Command {
  return command
    .option("--task <task>", "to a task: api#42")
    .option("--topic <topic>", "to the tasks that subscribe to a topic")
    .option("--all", "to every task of the project that runs now")
    .option("--person", "to people: an alert, or a query that one of them answers")
    .option("-p, --project <name>", "of a message that is for no one task (default: that of the current folder)");
}
