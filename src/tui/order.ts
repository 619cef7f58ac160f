import type { ChatMessage } from "../contract/chat.ts";

/** What is to be done outside of the screen. `subject`: how people call what it is done to. */
export type Order =
  | { readonly do: "approve" | "cancel" | "retry"; readonly task: string; readonly subject: string }
  | { readonly do: "deny"; readonly task: string; readonly subject: string; readonly message: string }
  | { readonly do: "prioritise"; readonly task: string; readonly subject: string; readonly priority: number }
  | {
      readonly do: "answer";
      readonly run: string;
      readonly subject: string;
      readonly question: string;
      readonly allow: boolean;
      readonly message: string;
    }
  | { readonly do: "tell"; readonly run: string; readonly subject: string; readonly text: string }
  | { readonly do: "dismiss"; readonly alert: string; readonly subject: string }
  | { readonly do: "reset"; readonly circuit: string; readonly subject: string }
  | { readonly do: "pause"; readonly paused: boolean }
  | { readonly do: "plan"; readonly project: string; readonly text: string }
  | { readonly do: "ask"; readonly messages: readonly ChatMessage[] }
  | { readonly do: "watch"; readonly run: string }
  | { readonly do: "unwatch" }
  | { readonly do: "attach"; readonly run: string; readonly subject: string }
  | { readonly do: "export"; readonly file: string; readonly records: readonly object[] }
  | { readonly do: "quit" };
