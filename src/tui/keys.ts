import type { ViewName } from "./state.ts";

/** What a key can do. */
export type Command =
  | "view1"
  | "view2"
  | "view3"
  | "view4"
  | "view5"
  | "nextView"
  | "previousView"
  | "up"
  | "down"
  | "pageUp"
  | "pageDown"
  | "first"
  | "last"
  | "open"
  | "back"
  | "search"
  | "filter"
  | "project"
  | "export"
  | "theme"
  | "help"
  | "quit"
  | "approve"
  | "deny"
  | "stop"
  | "retry"
  | "raise"
  | "lower"
  | "tell"
  | "attach"
  | "settle"
  | "plan"
  | "type"
  | "pause";

export interface Binding {
  readonly keys: readonly string[];
  readonly command: Command;
  /** In the help; left out: it is told with the one before. */
  readonly does?: string;
  /** How the help names the keys; left out: as they are. */
  readonly label?: string;
  /** Left out: in every view. */
  readonly views?: readonly ViewName[];
  /** In the last line of the screen, in a word. */
  readonly hint?: string;
}

const acting = ["attention", "plan", "executions"] as const;
const lists = ["attention", "plan", "executions", "records"] as const;

/** Every key, in the order of the help and of the hints. */
export const bindings: readonly Binding[] = [
  { keys: ["?"], command: "help", does: "this help", hint: "help" },
  { keys: ["q", "ctrl-c"], command: "quit", does: "quit; Drover goes on", hint: "quit" },
  { keys: ["1"], command: "view1", label: "1 ... 5, tab", does: "Attention, Chat, Plan, Executions, Records; the next of them" },
  { keys: ["2"], command: "view2" },
  { keys: ["3"], command: "view3" },
  { keys: ["4"], command: "view4" },
  { keys: ["5"], command: "view5" },
  { keys: ["tab"], command: "nextView" },
  { keys: ["shift-tab"], command: "previousView" },
  { keys: ["up", "k"], command: "up", label: "up k, down j", does: "move by a line" },
  { keys: ["down", "j"], command: "down" },
  { keys: ["pageup", "ctrl-b"], command: "pageUp", label: "pgup, pgdn space", does: "move by a page" },
  { keys: ["pagedown", "ctrl-f", " "], command: "pageDown" },
  { keys: ["home", "g"], command: "first", label: "home g, end G", does: "to the first line and stay there, to the last" },
  { keys: ["end", "G"], command: "last" },
  { keys: ["enter"], command: "open", does: "what the agent prints, live", views: acting, hint: "output" },
  { keys: ["escape"], command: "back", does: "back; forget the search, then the filter" },
  { keys: ["a"], command: "approve", does: "approve, or allow what an agent asks for", views: acting, hint: "approve" },
  { keys: ["d"], command: "deny", does: "deny, with a word to the agent", views: acting, hint: "deny" },
  { keys: ["s"], command: "stop", does: "stop: cancel the task, its work is saved", views: acting, hint: "stop" },
  { keys: ["r"], command: "retry", does: "retry a task that ended or is blocked", views: acting, hint: "retry" },
  { keys: ["+", "="], command: "raise", label: "+, -", does: "more urgent, less urgent, by 10", views: acting },
  { keys: ["-"], command: "lower", views: acting },
  { keys: ["t"], command: "tell", does: "tell the agent something while it works", views: acting },
  { keys: ["w"], command: "attach", does: "go into the agent's tmux window; its detach key leads back", views: acting, hint: "window" },
  { keys: ["x"], command: "settle", does: "dismiss an alert, reset a circuit", views: ["attention"], hint: "settle" },
  { keys: ["n"], command: "plan", does: "file a new plan", views: [...lists] },
  { keys: ["i", "enter"], command: "type", does: "type; escape leaves", views: ["chat"], hint: "type" },
  { keys: ["/"], command: "search", does: "search: all words must be there", views: lists, hint: "search" },
  { keys: ["f"], command: "filter", does: "the next filter", views: lists, hint: "filter" },
  { keys: ["p"], command: "project", does: "the next project; then all of them" },
  { keys: ["e"], command: "export", does: "write what is listed to a file: NAME.csv or NAME.jsonl", views: lists, hint: "export" },
  { keys: ["P"], command: "pause", does: "pause the queue, or resume it" },
  { keys: ["T"], command: "theme", does: "the next theme" },
];

export function commandOf(view: ViewName, key: string): Command | undefined {
  return bindings.find(({ keys, views }) => keys.includes(key) && (views === undefined || views.includes(view)))?.command;
}
