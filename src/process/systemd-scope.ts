/** There exactly where systemd runs the system (sd_booted(3)). */
export const SYSTEMD_FOLDER = "/run/systemd/system";

/**
 * What to put before a command so that systemd makes a scope for it, a control group that is its own to divide, and then
 * becomes the command (systemd-run(1)). A person's own systemd does it for them, the system's for root. The scope lives as
 * long as anything in it does, and goes without a trace.
 */
export function scopePrefix({ unit, isRoot }: { unit: string; isRoot: boolean }): string[] {
  const whose = isRoot ? [] : ["--user"];
  return ["systemd-run", ...whose, "--scope", "--quiet", "--collect", `--unit=${unit}.scope`, "--property=Delegate=yes", "--"];
}
