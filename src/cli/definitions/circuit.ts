import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

const load = () => import("../commands/circuit.ts");

/** What stops starts: circuit breakers and the limits of providers' accounts. */
export function defineCircuits(program: Command, act: Act): void {
  const circuit = program.command("circuit").description("look at the circuit breakers and close one");
  examples(circuit.command("list", { isDefault: true }).description("the breakers of the system, of each agent and of each stage"), [
    "drover circuit list",
  ]).action(act(async () => (await load()).list));
  examples(circuit.command("reset").description("close a breaker: what it held up starts again").argument("<circuit>", "its name"), [
    "drover circuit reset worker:claude",
    "once the cause is mended",
  ]).action(act(async () => (await load()).reset));

  const account = program.command("account").description("look at the providers' accounts that agents share, and their limits");
  examples(account.command("list", { isDefault: true }).description("each account, who uses it, and what limits it is at"), [
    "drover account list",
  ]).action(act(async () => (await load()).listAccounts));
  examples(
    account
      .command("reset")
      .description("forget the limits of an account: what waited for it starts again")
      .argument("<account>", "its name"),
    ["drover account reset claude", "after a bigger plan was bought"],
  ).action(act(async () => (await load()).resetAccount));
}
