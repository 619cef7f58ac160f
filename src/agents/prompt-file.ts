import type { Launch } from "./driver.ts";

/**
 * Lets a command read its prompt from a file, for an agent that reads stdin to its end: the stdin that a held command has
 * never ends, and an argument holds 128 KiB at most (Linux). `before` is done first: shell code, in which "$0" is the
 * prompt's file; the words it takes (`shift`) are given by `words`.
 */
export function readingPrompt(
  promptFile: string,
  command: readonly [string, ...string[]],
  { before = "", words = [] }: { readonly before?: string; readonly words?: readonly string[] } = {},
): Launch["argv"] {
  return ["/bin/sh", "-c", `${before}exec "$@" <"$0"`, promptFile, ...words, ...command];
}
