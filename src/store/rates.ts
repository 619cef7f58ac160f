import { afterTaking, type Rate, type RateUser } from "../domain/rate.ts";
import type { RatePolicy } from "../contract/limits.ts";
import type { Reader, Transaction } from "./database.ts";

/** When the bucket of a rate is full again; in the past: it is. 0: nothing was ever taken of it. */
export function bucketFullAt(reader: Reader, { kind, name }: RateUser): number {
  const row = reader.get<{ full_at: number }>("SELECT full_at FROM rate_buckets WHERE id = :id", { id: `${kind}:${name}` });
  return row?.full_at ?? 0;
}

/** Takes a token of a rate, which must have one. */
export function takeToken(tx: Transaction, user: RateUser, policy: RatePolicy): void {
  const rate: Rate = { policy, fullAt: bucketFullAt(tx, user) };
  tx.run("INSERT INTO rate_buckets (id, full_at) VALUES (:id, :fullAt) ON CONFLICT (id) DO UPDATE SET full_at = excluded.full_at", {
    id: `${user.kind}:${user.name}`,
    fullAt: afterTaking(rate, tx.now),
  });
}
