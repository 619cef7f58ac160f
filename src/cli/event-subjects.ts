import { ClientError } from "../client/client-error.ts";
import type { Client } from "../client/client.ts";
import type { Event } from "../contract/event.ts";

/** What events are about, as people name it: `api#42`, `api`, or nothing for the daemon itself. Each is asked for once. */
export class EventSubjects {
  readonly #client: Client;
  readonly #signal: AbortSignal;
  readonly #names = new Map<string, string>();

  constructor(client: Client, signal: AbortSignal) {
    this.#client = client;
    this.#signal = signal;
  }

  async of({ taskId, projectId }: Pick<Event, "taskId" | "projectId">): Promise<string> {
    const id = taskId ?? projectId;
    if (id === null) return "";
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const name = await (taskId === null ? this.#projectName(id) : this.#taskKey(taskId));
    this.#names.set(id, name);
    return name;
  }

  async #taskKey(task: string): Promise<string> {
    return (await this.#client.getTask({ params: { task }, signal: this.#signal })).key;
  }

  async #projectName(project: string): Promise<string> {
    try {
      return (await this.#client.getProject({ params: { project }, signal: this.#signal })).name;
    } catch (thrown) {
      // A project that was unregistered since has its history still, and its events say its name where it matters.
      if (thrown instanceof ClientError && thrown.code === "not_found") return "";
      throw thrown;
    }
  }
}
