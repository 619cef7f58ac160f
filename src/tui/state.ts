import type { AttentionItem } from "../contract/attention.ts";
import type { AuditEntry, Event } from "../contract/event.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { noFacts, type Facts } from "./facts.ts";
import { atTop, type Place } from "./list.ts";
import type { Order } from "./order.ts";
import type { ThemeName } from "./theme.ts";

export const viewNames = ["attention", "chat", "plan", "executions", "records"] as const;
export type ViewName = (typeof viewNames)[number];

/** A line of a list, with the record that it stands for. */
export type Entry =
  | { readonly id: string; readonly of: "item"; readonly record: AttentionItem }
  | { readonly id: string; readonly of: "task"; readonly record: Task; readonly run: Run | undefined; readonly depth: number }
  | { readonly id: string; readonly of: "event"; readonly record: Event }
  | { readonly id: string; readonly of: "audit"; readonly record: AuditEntry };

/** How a person looks at a list. `filter` counts through those of the view. */
export interface Looking {
  readonly place: Place;
  readonly search: string;
  readonly filter: number;
}

/** A line that is being typed, and what it is for. */
export interface Prompt {
  readonly asks: string;
  readonly text: string;
  readonly purpose:
    | { readonly to: "search" }
    | { readonly to: "export" }
    | { readonly to: "order"; readonly make: (text: string) => Order }
    | { readonly to: "confirm"; readonly order: Order };
}

/** What one run's agent prints. */
export interface Watched {
  readonly runId: string;
  readonly title: string;
  /** Safe, the newest `OUTPUT_MAX`. */
  readonly lines: readonly string[];
  /** Lines that are behind the last one shown; 0: the end is followed. */
  readonly behind: number;
  readonly hasEnded: boolean;
}

export interface Said {
  readonly by: "person" | "model" | "drover";
  readonly text: string;
}

export interface Chat {
  readonly said: readonly Said[];
  readonly draft: string;
  /** Whether keys are typed into the draft. */
  readonly isTyping: boolean;
  /** When the model was asked that has not answered yet. */
  readonly askedAt: number | null;
  readonly behind: number;
}

export interface State {
  readonly view: ViewName;
  readonly looking: Readonly<Record<ViewName, Looking>>;
  /** The id of the project that alone is shown; null: all are. */
  readonly projectId: string | null;
  readonly facts: Facts;
  readonly chat: Chat;
  readonly watched: Watched | null;
  readonly prompt: Prompt | null;
  readonly showsHelp: boolean;
  /** The last word on what was done. */
  readonly notice: { readonly text: string; readonly isFailure: boolean } | null;
  readonly connection: "starting" | "live" | "lost";
  readonly theme: ThemeName;
  readonly columns: number;
  readonly rows: number;
  readonly now: number;
}

export const OUTPUT_MAX = 5000;
export const SAID_MAX = 200;

const look: Looking = { place: atTop, search: "", filter: 0 };

export function initialState({ theme, now }: { theme: ThemeName; now: number }): State {
  return {
    view: "attention",
    looking: { attention: look, chat: look, plan: look, executions: look, records: look },
    projectId: null,
    facts: noFacts,
    chat: { said: [], draft: "", isTyping: false, askedAt: null, behind: 0 },
    watched: null,
    prompt: null,
    showsHelp: false,
    notice: null,
    connection: "starting",
    theme,
    columns: 80,
    rows: 24,
    now,
  };
}
