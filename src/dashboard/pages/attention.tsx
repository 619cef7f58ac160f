import { useState } from "react";
import type { Client } from "../../client/client.ts";
import type { AttentionItem, AttentionKind } from "../../contract/attention.ts";
import { useAttention } from "../attention-query.ts";
import { useClient } from "../live/use-live.ts";
import { Link, taskAddress } from "../router.tsx";
import { Badge, words, type Tone } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/field.tsx";
import { Empty, Loaded, Page } from "../ui/page.tsx";
import { Ago } from "../ui/time.tsx";
import { useDo } from "../ui/toasts.tsx";

/** Everything that needs a person, over all projects, answered where it stands. */
export function AttentionPage() {
  const attention = useAttention();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const choose = (id: string, isChosen: boolean) => {
    const next = new Set(chosen);
    if (isChosen) next.add(id);
    else next.delete(id);
    setChosen(next);
  };
  return (
    <Page title="Attention">
      <Loaded answer={attention}>
        {(items) =>
          items.length === 0 ? (
            <Empty>Nothing needs you.</Empty>
          ) : (
            <>
              <Batch
                items={items.filter(({ id }) => chosen.has(id))}
                isAll={items.every(({ id }) => chosen.has(id))}
                onAll={(isAll) => setChosen(new Set(isAll ? items.map(({ id }) => id) : []))}
              />
              <ul className="flex flex-col gap-3" aria-label="What needs you">
                {items.map((item) => (
                  <Item key={item.id} item={item} isChosen={chosen.has(item.id)} onChoose={(isChosen) => choose(item.id, isChosen)} />
                ))}
              </ul>
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

/** What can be done with several at once: each kind of thing has one way to go on. */
function Batch({
  items,
  isAll,
  onAll,
}: {
  readonly items: readonly AttentionItem[];
  readonly isAll: boolean;
  readonly onAll: (isAll: boolean) => void;
}) {
  const client = useClient();
  const attempt = useDo();
  const groups = Map.groupBy(
    items.flatMap((item) =>
      actionsOf(item)
        .slice(0, 1)
        .filter(({ needsText }) => !needsText)
        .map((action) => ({ item, action })),
    ),
    ({ action }) => action.name,
  );
  const run = (group: readonly { item: AttentionItem; action: Action }[]) => {
    for (const { item, action } of group) void attempt(() => action.run(client, ""), `${item.subject}: ${action.done}`);
  };
  return (
    <div className="flex min-h-9 flex-wrap items-center gap-2" role="group" aria-label="With all that are chosen">
      <label className="mr-2 flex items-center gap-2">
        <input type="checkbox" checked={isAll} onChange={(event) => onAll(event.target.checked)} className="size-4 accent-accent" />
        All
      </label>
      {[...groups].map(([name, group]) => (
        <Button key={name} kind="main" onClick={() => run(group)}>
          {name} {group.length}
        </Button>
      ))}
    </div>
  );
}

const tones: Readonly<Record<AttentionKind, Tone>> = {
  permission: "warn",
  question: "warn",
  circuit: "bad",
  approval: "busy",
  conflict: "bad",
  budget: "warn",
  blocked: "warn",
  failed: "bad",
  alert: "warn",
  review: "busy",
};

function Item({
  item,
  isChosen,
  onChoose,
}: {
  readonly item: AttentionItem;
  readonly isChosen: boolean;
  readonly onChoose: (isChosen: boolean) => void;
}) {
  return (
    <li className="rounded-lg border border-line bg-panel p-4">
      <div className="flex flex-wrap items-center gap-2 text-sm">
        <input
          type="checkbox"
          aria-label={`Choose ${item.kind} of ${item.subject}`}
          checked={isChosen}
          onChange={(event) => onChoose(event.target.checked)}
          className="size-4 accent-accent"
        />
        <Badge tone={tones[item.kind]}>{item.kind}</Badge>
        {item.taskId === null ? (
          <span className="font-medium">{item.subject}</span>
        ) : (
          <Link href={taskAddress(item.subject)} className="font-medium hover:underline">
            {item.subject}
          </Link>
        )}
        <span className="ml-auto text-muted">{item.since === 0 ? null : <Ago at={item.since} />}</span>
      </div>
      {item.question === null ? (
        <p className="mt-2 break-words">{item.text}</p>
      ) : (
        <pre className="mt-2 max-h-48 overflow-auto rounded-md bg-raised p-3 font-mono text-xs whitespace-pre-wrap" tabIndex={0}>
          {`${item.question.tool}\n${inputAsText(item.question.input)}`}
        </pre>
      )}
      <Ways item={item} />
    </li>
  );
}

/** What can be done about it, and the words that go with that. */
function Ways({ item }: { readonly item: AttentionItem }) {
  const client = useClient();
  const attempt = useDo();
  const [text, setText] = useState("");
  const actions = actionsOf(item);
  return (
    <div className="mt-3 flex flex-wrap items-end gap-2">
      {actions.some(({ takesText }) => takesText) ? (
        <div className="min-w-40 flex-1">
          <Input
            label={`Words for ${item.subject}`}
            isQuiet
            placeholder={item.kind === "question" ? "Your answer" : "What you want to say with it, or nothing"}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      ) : null}
      {actions.map((action, index) => (
        <Button
          key={action.name}
          kind={index === 0 ? "main" : action.isBad ? "bad" : "plain"}
          disabled={action.needsText === true && text.trim() === ""}
          onClick={() => void attempt(() => action.run(client, text), `${item.subject}: ${action.done}`)}
        >
          {action.name}
        </Button>
      ))}
      {item.url === null || !/^https?:/.test(item.url) ? null : (
        <a href={item.url} target="_blank" rel="noreferrer" className="px-2 py-1.5 text-sm text-accent underline">
          Pull request
        </a>
      )}
    </div>
  );
}

interface Action {
  readonly name: string;
  /** What is said when it is done. */
  readonly done: string;
  readonly run: (client: Client, text: string) => Promise<unknown>;
  readonly takesText?: boolean;
  readonly needsText?: boolean;
  readonly isBad?: boolean;
}

/** What a person can do about it; first what lets it go on. */
function actionsOf({ kind, subject, question, runId, alertId, circuitId, taskId }: AttentionItem): Action[] {
  const params = { task: taskId ?? subject };
  const dismiss: Action[] =
    alertId === null ? [] : [{ name: "Dismiss", done: "dismissed.", run: (client) => client.dismissAlert({ params: { alert: alertId } }) }];
  const cancel: Action = {
    name: "Cancel the task",
    done: "cancelled; its work is saved.",
    isBad: true,
    run: (client) => client.cancelTask({ params }),
  };
  const retry: Action = { name: "Retry", done: "queued again.", run: (client) => client.retryTask({ params }) };
  switch (kind) {
    case "permission":
    case "question": {
      if (question === null || runId === null) return [];
      const answer = (allow: boolean) => (client: Client, message: string) =>
        client.answerRun({ params: { run: runId }, body: { question: question.id, allow, message } });
      const isQuestion = kind === "question";
      return [
        { name: isQuestion ? "Answer" : "Allow", done: "answered.", takesText: true, needsText: isQuestion, run: answer(true) },
        { name: "Deny", done: "denied.", takesText: true, isBad: true, run: answer(false) },
      ];
    }
    case "circuit":
      return circuitId === null
        ? []
        : [{ name: "Reset", done: "closed.", run: (client) => client.resetCircuit({ params: { circuit: circuitId } }) }];
    case "approval":
      return [
        { name: "Approve", done: "it goes on.", run: (client) => client.approveTask({ params }) },
        {
          name: "Deny",
          done: "denied; its work is saved.",
          takesText: true,
          isBad: true,
          run: (client, message) => client.denyTask({ params, body: { message } }),
        },
      ];
    case "conflict":
    case "budget":
    case "blocked":
      return [retry, cancel];
    case "failed":
      return taskId === null ? dismiss : [retry, ...dismiss];
    case "alert":
      return dismiss;
    case "review":
      return [{ name: "Merge", done: "in the merge queue.", run: (client) => client.addMerge({ params }) }];
  }
}

/** The arguments of a tool as a person reads them: a name and its value a line. */
function inputAsText(input: string): string {
  try {
    const fields: unknown = JSON.parse(input);
    if (typeof fields !== "object" || fields === null) return input;
    return Object.entries(fields)
      .map(([name, value]) => `${words(name)}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
      .join("\n");
  } catch {
    // Not every agent says it as JSON.
    return input;
  }
}
