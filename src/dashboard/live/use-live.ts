import { createContext, useContext, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Client } from "../../client/client.ts";
import type { Event } from "../../contract/event.ts";
import type { Board } from "./board-store.ts";
import type { Connection } from "./feed.ts";
import type { Live } from "./live.ts";
import type { Answer } from "./query.ts";

export const LiveContext = createContext<Live | undefined>(undefined);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error("There is no Live around this component.");
  return live;
}

export function useClient(): Client {
  return useLive().client;
}

export function useConnection(): Connection {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, live.connection);
}

export function useEvents(): readonly Event[] {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, live.events);
}

export function useBeats(): ReadonlyMap<number, number> {
  const live = useLive();
  return useSyncExternalStore(live.subscribe, live.beats);
}

export function useBoard(): Board {
  const { board } = useLive();
  return useSyncExternalStore(board.subscribe, board.board);
}

/**
 * Something that is asked of the API and kept up to date. `name` says what: two components that give the same name share one
 * answer, so everything that the question depends on belongs into it.
 */
export function useQuery<Value>(
  name: string,
  load: (client: Client, signal: AbortSignal) => Promise<Value>,
  isAbout: (event: Event) => boolean,
): Answer<Value> & { readonly refresh: () => void } {
  const live = useLive();
  const query = live.query<Value>(name, { load: (signal) => load(live.client, signal), isAbout });
  const answer = useSyncExternalStore(query.subscribe, query.answer);
  return useMemo(() => ({ ...answer, refresh: () => query.refresh(0) }), [answer, query]);
}

/** The time, told anew every so often, for what says how long ago something was. */
export function useNow(everyMs = 10_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
