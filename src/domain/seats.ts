/** What a run has while it is open: one of each kind that it needs. Of each kind there are only so many. */
export interface SeatKind {
  readonly taken: number;
  readonly max: number;
  /** For people: `agent processes`. */
  readonly what: string;
  /** Which setting says how many there are. */
  readonly setting: string;
}

/** A kind that is not named there has no limit. */
export type Seats = ReadonlyMap<string, SeatKind>;

/** That of an agent that is a program of its own. */
export const PROCESS_SEAT = "process";
/** That of a run in the agent host, beside others. */
export const HOSTED_SEAT = "hosted";

/** Why a run that needs these seats can't have all of them now; undefined: it can. */
export function whyNoSeat(seats: Seats, needed: readonly string[]): string | undefined {
  const full = needed.map((kind) => seats.get(kind)).find((kind) => kind !== undefined && kind.taken >= kind.max);
  return full && `${full.taken} ${full.what} are at work, and ${full.setting} allows ${full.max}.`;
}

/** All that it needs at once, so that no run holds some while it waits for others. */
export function takeSeats(seats: Seats, needed: readonly string[]): Seats {
  const taken = needed.flatMap((kind): [string, SeatKind][] => {
    const found = seats.get(kind);
    return found ? [[kind, { ...found, taken: found.taken + 1 }]] : [];
  });
  return new Map([...seats, ...taken]);
}

/** Whether each kind has one left. */
export function isSeatLeft(seats: Seats): boolean {
  return seats.values().every(({ taken, max }) => taken < max);
}
