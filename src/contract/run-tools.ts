import { z } from "zod";
import { MessageId } from "./ids.ts";
import { Topic } from "./message.ts";
import { TaskTitle } from "./task.ts";

/** Where the agent of a run finds the daemon, and what it shows there to speak for its run. */
export const RunPlace = z.strictObject({
  /** The route that it calls. */
  url: z.url(),
  token: z.string(),
  /** The path of a socket that leads to the same where the daemon's loopback is another. */
  reach: z.string(),
});
export type RunPlace = z.infer<typeof RunPlace>;

/** How long an agent may wait for an answer, seconds: less than after which it looks stuck. */
const WAIT_S = { most: 300, usual: 120 };

const text = z.string().trim().min(1).max(20_000);
const others = "a task of this project by its key (`api#3`), `topic:NAME`, or `all` (every other task that runs now)";

/** The tools that the agent of a run has of Drover's, whichever way it calls them. */
export const runTools = {
  share: {
    description: `Tells other tasks of this project something that they should know: a decision, a changed interface, a trap. To: ${others}.`,
    input: z.strictObject({ to: z.string().min(1).max(200), text }),
  },
  ask: {
    description: `Asks another task's agent, or a person, a question and waits for the answer. To: ${others}, or \`person\`. Go on with your best guess when none comes.`,
    input: z.strictObject({
      to: z.string().min(1).max(200),
      text,
      waitSeconds: z.int().min(1).max(WAIT_S.most).default(WAIT_S.usual),
    }),
  },
  answer: {
    description: "Answers a question that came in a message, by the message's id.",
    input: z.strictObject({ message: MessageId, text }),
  },
  inbox: {
    description: "The messages that came for this task. The result of every other tool of drover brings new ones too.",
    input: z.strictObject({}),
  },
  subscribe: {
    description: "From now on this task is to have what others share with a topic.",
    input: z.strictObject({ topic: Topic }),
  },
  alert: {
    description: "Tells people something that they must see and that can't wait for the end of the work.",
    input: z.strictObject({ text: text.max(2000) }),
  },
  report: {
    description: "Notes something about the work that is kept with this run, for people and for later runs of this task.",
    input: z.strictObject({ text: text.max(8000) }),
  },
  file_task: {
    description: "Files a draft of a task in this project, for work that is not part of this one. A person decides whether it is wanted.",
    input: z.strictObject({ title: TaskTitle, body: z.string().max(20_000).default("") }),
  },
  list_tasks: {
    description: "The open tasks of this project: their keys, states and titles.",
    input: z.strictObject({}),
  },
} as const satisfies Readonly<Record<string, { readonly description: string; readonly input: z.ZodObject }>>;
export type RunToolName = keyof typeof runTools;

const call = <Name extends RunToolName, Input extends z.ZodObject>(tool: Name, { input }: { readonly input: Input }) =>
  z.strictObject({ tool: z.literal(tool), input });

/** What the agent of a run asks of the daemon by a tool, and no more: nothing here stops anybody. */
export const RunToolCall = z.discriminatedUnion("tool", [
  call("share", runTools.share),
  call("ask", runTools.ask),
  call("answer", runTools.answer),
  call("inbox", runTools.inbox),
  call("subscribe", runTools.subscribe),
  call("alert", runTools.alert),
  call("report", runTools.report),
  call("file_task", runTools.file_task),
  call("list_tasks", runTools.list_tasks),
]);
export type RunToolCall = z.infer<typeof RunToolCall>;
