import type { Usage } from "../contract/proof.ts";
import type { Run } from "../contract/run.ts";
import { codeSpan } from "./quiet-text.ts";

export function tokens({ inputTokens, outputTokens, cacheReadTokens }: Usage): string {
  return `${count(inputTokens)} tokens in, ${count(outputTokens)} out, ${count(cacheReadTokens)} from cache`;
}

export function cost({ costUsdMicros }: Usage): string {
  return costUsdMicros === null ? "cost not reported" : `$${(costUsdMicros / 1_000_000).toFixed(costUsdMicros < 10_000 ? 4 : 2)}`;
}

export function commit(hash: string, length = 12): string {
  return codeSpan(hash.slice(0, length));
}

export function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

export function took({ startedAt, finishedAt }: Run): string {
  return duration((finishedAt ?? startedAt) - startedAt);
}

export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

export function paragraphs(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
