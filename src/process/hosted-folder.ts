import { join } from "node:path";

/** The files of an agent host's folder besides those of every held command (`heldFiles`). */
export const hostFiles = (directory: string) => ({
  /** A file for each run that it carries, named by the marker: the run's held folder. */
  runs: join(directory, "runs"),
});

/** The file that is there as long as a host carries a run: the host's folder, and the run's marker. */
export function entryFile({ directory, marker }: { readonly directory: string; readonly marker: string }): string {
  return join(hostFiles(directory).runs, marker);
}

const MARKER_PREFIX = "agent-host-";

/** The marker of the agent host of a folder. */
export function hostMarker(id: string): string {
  return MARKER_PREFIX + id;
}

/** The name of its folder; undefined: it is the marker of something else. */
export function hostOfMarker(marker: string): string | undefined {
  return marker.startsWith(MARKER_PREFIX) ? marker.slice(MARKER_PREFIX.length) : undefined;
}
