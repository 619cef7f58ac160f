import type { Confine } from "./tool.ts";

/** Joins before it becomes the command, which then has never been elsewhere: what can't be limited is not started. */
const JOIN = `while IFS= read -r group; do printf '%s\\n' "$$" >"$group/cgroup.procs" || exit 126; done <"$1"; shift; exec "$@"`;

/**
 * Has commands go into the control groups of their run, so that its limits hold for them: the program that starts them is the
 * program of many runs, and in none of these groups.
 * @param groups the file that names their folders, a line each.
 */
export function joinGroups(confine: Confine, groups: string): Confine {
  return async (argv, cwd) => {
    const confined = await confine(argv, cwd);
    return { ...confined, argv: ["/bin/sh", "-c", JOIN, "drover-join", groups, ...confined.argv] };
  };
}
