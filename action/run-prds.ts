/**
 * The last step of the action: has each PRD that the pull request of the event changes built, one after the other, and fails if one of
 * them did not become a pull request. `drover` is on the PATH, the working directory is the checkout.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { changedPrds, type PullRequestEvent } from "./changed-prds.ts";

const { GITHUB_EVENT_PATH: eventPath = "", PRD_GLOB: glob = "" } = process.env;

const event = JSON.parse(readFileSync(eventPath, "utf8")) as PullRequestEvent;
const checkout = process.cwd();
const choice = changedPrds(event, checkout, glob);
if ("none" in choice) console.log(choice.none);
else process.exitCode = buildAll(choice.files);

function buildAll(files: readonly string[]): number {
  if (drover("daemon", "start") !== 0) return 1;
  const failed = files.filter((file) => drover("prd", "run", "--pr", "--target", checkout, "--", join(checkout, file)) !== 0);
  // Whatever a PRD that failed left behind goes with the machine.
  drover("daemon", "stop");
  for (const file of failed) console.error(`${file} did not become a pull request.`);
  return failed.length > 0 ? 1 : 0;
}

function drover(...args: string[]): number {
  return spawnSync("drover", args, { stdio: "inherit" }).status ?? 1;
}
