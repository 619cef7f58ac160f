import { Text, useApp, useInput, usePaste, useWindowSize, type Key } from "ink";
import { createElement, useEffect, useSyncExternalStore, type ReactElement } from "react";
import { drawFrame } from "./frame.ts";
import type { Store } from "./store.ts";

export interface AppProps {
  readonly store: Store;
  /** Called with what gives the terminal away for a while, as soon as there is such a thing. */
  readonly onTerminal: (suspend: (use: () => Promise<void>) => Promise<void>) => void;
}

/** The screen as Ink has it: one text, drawn by `drawFrame`. Ink reads the keys, follows the window and writes only what changed. */
export function App({ store, onTerminal }: AppProps): ReactElement {
  const state = useSyncExternalStore(store.subscribe, store.get);
  const { columns, rows } = useWindowSize();
  const { suspendTerminal } = useApp();
  useEffect(() => store.send({ type: "resized", columns, rows }), [store, columns, rows]);
  useEffect(() => onTerminal(suspendTerminal), [onTerminal, suspendTerminal]);
  useInput((input, key) => {
    for (const name of keyNames(input, key)) store.send({ type: "key", key: name });
  });
  usePaste((text) => store.send({ type: "pasted", text }));
  return createElement(Text, { wrap: "truncate" }, drawFrame(state).join("\n"));
}

const named = {
  upArrow: "up",
  downArrow: "down",
  leftArrow: "left",
  rightArrow: "right",
  pageUp: "pageup",
  pageDown: "pagedown",
  home: "home",
  end: "end",
  return: "enter",
  escape: "escape",
  backspace: "backspace",
  delete: "delete",
} as const satisfies Partial<Record<keyof Key, string>>;

/** Keys as `keys.ts` names them. What comes at once, from a slow line or a program, is one key after another. */
function keyNames(input: string, key: Key): string[] {
  if (key.tab) return [key.shift ? "shift-tab" : "tab"];
  for (const [flag, name] of Object.entries(named)) if (key[flag as keyof typeof named]) return [name];
  if (key.ctrl) return [`ctrl-${input}`];
  if (key.meta) return [`meta-${input}`];
  return [...input].map(keyName);
}

/** Of a character that came among others, also of one that is a key: terminals send those as controls. */
function keyName(character: string): string {
  const code = character.charCodeAt(0);
  if (character === "\r" || character === "\n") return "enter";
  if (character === "\t") return "tab";
  if (code === 0x1b) return "escape";
  if (code === 0x7f) return "backspace";
  return code < 0x1b ? `ctrl-${String.fromCharCode(code + 0x60)}` : character;
}
