/** What the docker program is told, as a JSON file. */
export interface DockerPlan {
  readonly socket: string;
  /** Id of a container that was made and not started. */
  readonly container: string;
  /** A file to make when the container reached its limit on memory. */
  readonly outOfMemory: string;
  /** Sockets to make in folders that the container sees, and the ports of this machine's loopback that they lead to. */
  readonly ways: readonly { readonly socket: string; readonly port: number }[];
}
