import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { AppError } from "../../base/errors.ts";
import { safeLine, safeText } from "../../base/text.ts";
import { runForeignCommand } from "../../process/foreign-command.ts";
import type { ToolWork } from "./audited-tool.ts";
import { unconfined } from "./confine.ts";
import { programOutside } from "./outside-program.ts";
import { refusal } from "./refusal.ts";
import type { ToolContext } from "./tool.ts";

const OUTPUT_MAX_BYTES = 32 * 1024;

type Argv = readonly [string, ...string[]];

const Input = z.object({
  argv: z
    .tuple([z.string().min(1)], z.string())
    .describe('The program and its arguments, such as ["npm", "test"]. No shell reads them: there are no pipes, variables or wildcards.'),
});

export function createRun(clock: Clock): ToolWork<z.infer<typeof Input>> {
  return {
    name: "run",
    description: `Runs a program in the workspace, with no input, and says its exit code and the head and tail of what it printed. What it leaves running is ended.`,
    input: Input,
    subjectOf: ({ argv }) => argv.join(" "),
    work: async ({ argv }, context, signal) => {
      const allowed = await allowedForm(argv, context);
      await using confined = await (context.confine ?? unconfined)(allowed, context.workspace);
      const { exitCode, output } = await runForeignCommand(confined.argv, {
        cwd: context.workspace,
        env: { ...context.env, ...confined.env },
        timeoutMs: context.commandTimeoutMs,
        maxOutputBytes: OUTPUT_MAX_BYTES,
        clock,
        signal,
      });
      const printed = shown(output) + noteRefused(await confined.refusedAddresses(), context);
      if (exitCode !== null) return `[Exit code ${exitCode}.]\n${printed}`;
      const limit = `${context.commandTimeoutMs / 1000} s`;
      throw new AppError("timeout", `${named(argv)} did not end within ${limit}, and was ended with all that it started.\n${printed}`);
    },
  };
}

/** The command as it may run. Throws a refusal for one that may not. */
async function allowedForm(argv: Argv, { allowedCommands, confine, env, workspace }: ToolContext): Promise<Argv> {
  if (argv.some((word) => word.includes("\0"))) throw refusal(`${named(argv)} has a NUL character in its arguments.`);
  if (allowedCommands === null) {
    if (confine !== null) return argv;
    throw refusal(
      "There is no sandbox here to run commands in, so only programs run that a person has allowed by name, and there are none.",
    );
  }
  const [program, ...args] = argv;
  // By its name alone: ./npm or /tmp/npm may be anything.
  if (!allowedCommands.includes(program))
    throw refusal(`${safeLine(program)} is not among the programs that may be run: ${allowedCommands.join(", ") || "none"}.`);
  const file = await programOutside(program, env["PATH"] ?? "", workspace);
  if (file === undefined) throw new AppError("unavailable", `${program} is allowed, but not installed outside of the workspace.`);
  return [file, ...args];
}

/** No control characters of terminals; a line that is written over and over becomes lines. */
function shown(output: string): string {
  return safeText(output.replace(/\r\n?/gu, "\n"));
}

/** Of what the command wanted from the network and did not get: an entry in the audit each, and a word to the model. */
function noteRefused(addresses: readonly string[], { audit }: ToolContext): string {
  for (const address of addresses) {
    audit({ tool: "run", subject: safeLine(address, 300), outcome: "refused", message: "The sandbox does not lead there." });
  }
  return addresses.length === 0 ? "" : `\n[The sandbox does not lead to ${safeLine(addresses.join(", "), 1000)}.]`;
}

function named(argv: Argv): string {
  return safeLine(argv.join(" "), 100);
}
