import type { Command } from "commander";
import { openCli, type Cli, type GlobalOptions, type Surroundings } from "./cli.ts";

/**
 * Makes a command's action of a function that is loaded only when the command is called, so that `drover --help` reads no
 * more than the definitions. The function gets what is around it, then the arguments in their order and the options.
 */
export type Act = <Args extends unknown[]>(load: () => Promise<Run<Args>>) => (...received: unknown[]) => Promise<void>;

export type Run<Args extends unknown[]> = (cli: Cli, ...args: Args) => Promise<void> | void;

export function actionsAround(around: Surroundings): Act {
  return <Args extends unknown[]>(load: () => Promise<Run<Args>>) =>
    async (...received: unknown[]) => {
      const run = await load();
      // Commander calls with each argument that was defined, the options and the command; what they are it does not type.
      const command = received.at(-1) as Command;
      await run(openCli(around, command.optsWithGlobals<GlobalOptions>()), ...(received.slice(0, -1) as Args));
    };
}
