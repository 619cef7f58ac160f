import type { SandboxSpace } from "./sandbox-space.ts";

const NAMESPACES = "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try --cap-drop ALL";
const MOUNTS = "--ro-bind / / --dev /dev --proc /proc";

/**
 * bubblewrap with a space of the disk, namespaces of its own for everything, and no rights of root's (bubblewrap 0.8). To
 * be followed by a command. The descriptor 4 stays open as long as anything lives in it.
 *
 * Not `--die-with-parent` nor `--new-session`: a SIGTERM to the process group ends bubblewrap's outer process, and must
 * reach the command, which has its time to end by itself.
 */
export function bubblewrapArguments({ hidden, masked, readable, writable }: SandboxSpace, directory: string): [string, ...string[]] {
  return [
    "bwrap",
    ...NAMESPACES.split(" "),
    ...MOUNTS.split(" "),
    ...hidden.flatMap((path) => ["--tmpfs", path]),
    ...masked.flatMap((path) => ["--ro-bind", "/dev/null", path]),
    ...readable.flatMap((path) => ["--ro-bind", path, path]),
    ...writable.flatMap((path) => ["--bind", path, path]),
    "--chdir",
    directory,
    "--sync-fd",
    "4",
    "--",
  ];
}
