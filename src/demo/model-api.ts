import type { ModelCall, ModelRequest, ModelUsage } from "./model-script.ts";

/** A turn as the server gives it to an API to be put in its own words. */
export interface ModelAnswer {
  /** Unique within the server. */
  readonly serial: number;
  readonly text: string;
  readonly calls: readonly ModelCall[];
  readonly usage: ModelUsage;
}

/** A part of a streamed answer: a server-sent event. Null: an event without a name. */
export interface StreamPart {
  readonly event: string | null;
  readonly data: unknown;
}

/** One provider's way to ask a model and to be answered. Pure translation; the server does the talking. */
export interface ModelApi {
  /** Whether a request for this path asks the model. */
  serves(path: string): boolean;
  /** The answer to a request beside asking the model, such as counting tokens; undefined: this API has no such path. */
  aside(path: string): unknown;
  /** `path`: some providers name the model there. */
  read(body: unknown, path: string): ModelRequest;
  whole(request: ModelRequest, answer: ModelAnswer): unknown;
  stream(request: ModelRequest, answer: ModelAnswer): StreamPart[];
  error(status: number, message: string): unknown;
}
