/** What the docker program is told, as a JSON file. */
export interface DockerPlan {
  readonly socket: string;
  /** Id of a container that was made and not started. */
  readonly container: string;
  /** A file to make when the container reached its limit on memory. */
  readonly outOfMemory: string;
}
