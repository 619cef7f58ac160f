import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

const which = "the run's id, or the task: api#42";

export function defineAgents(program: Command, act: Act): void {
  const agent = program.command("agent").description("look at the agents, watch one, tell it something");
  const load = () => import("../commands/agent.ts");
  examples(agent.command("list").description("the configured agents: whether they can be used, and what they do now"), [
    "drover agent list",
  ]).action(act(async () => (await load()).list));
  const tail = agent
    .command("tail")
    .description("what an agent prints, from its beginning, until it has ended")
    .argument("<run|task>", which)
    .option("--raw", "as the agent wrote it, in its own format");
  examples(tail, ["drover agent tail 'api#42'"]).action(act(async () => (await load()).tail));
  const send = agent
    .command("send")
    .description("tell an agent something more while it works; not every agent can be told")
    .argument("<run|task>", which)
    .argument("<text...>", "what to tell it");
  examples(send, ["drover agent send 'api#42' 'Leave the old endpoint as it is.'"]).action(act(async () => (await load()).send));
  const attach = agent
    .command("attach")
    .description("look into the window of an agent that runs under tmux; the command for it, where this is no terminal")
    .argument("<run|task>", which)
    .option("--read-only", "look, and type nothing");
  examples(attach, ["drover agent attach 'api#42'", "drover agent attach --read-only 'api#42'"]).action(
    act(async () => (await load()).attach),
  );
}
