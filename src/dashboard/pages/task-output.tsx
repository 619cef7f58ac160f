import { useEffect, useRef, useState, type FormEvent } from "react";
import type { Run } from "../../contract/run.ts";
import { useClient } from "../live/use-live.ts";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/field.tsx";
import { useDo } from "../ui/toasts.tsx";

const LINES_MAX = 5000;

/** What a run's agent says and does, as it comes; and what a person tells it meanwhile. */
export function Output({ run }: { readonly run: Run }) {
  const { lines, isOver, error } = useOutput(run.id);
  const end = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);
  useEffect(() => {
    if (isFollowing.current) end.current?.scrollIntoView({ block: "nearest" });
  }, [lines]);
  return (
    <div className="flex flex-col gap-3">
      <div
        role="log"
        aria-label={`Output of ${run.agent}`}
        tabIndex={0}
        className="h-[60vh] overflow-auto rounded-lg border border-line bg-panel p-3 font-mono text-xs"
        onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) =>
          (isFollowing.current = scrollHeight - scrollTop - clientHeight < 40)
        }
      >
        {lines.map(({ number, text }) => (
          <p
            key={number}
            className={`whitespace-pre-wrap ${text.startsWith("> ") ? "text-busy" : text.startsWith("! ") ? "text-bad" : ""}`}
          >
            {text}
          </p>
        ))}
        <p className="text-muted">{error ?? (isOver ? (lines.length === 0 ? "It said nothing." : "— end —") : "…")}</p>
        <div ref={end} />
      </div>
      {run.outcome === null ? <Tell run={run} /> : null}
    </div>
  );
}

interface Said {
  readonly number: number;
  readonly text: string;
}

function useOutput(run: string): { lines: readonly Said[]; isOver: boolean; error: string | undefined } {
  const client = useClient();
  const [lines, setLines] = useState<readonly Said[]>([]);
  const [isOver, setIsOver] = useState(false);
  const [error, setError] = useState<string>();
  useEffect(() => {
    const gone = new AbortController();
    void follow(client.getRunOutput({ params: { run }, query: { follow: true }, signal: gone.signal }), setLines).then(
      () => setIsOver(true),
      (thrown: unknown) => gone.signal.aborted || setError(thrown instanceof Error ? thrown.message : String(thrown)),
    );
    return () => {
      gone.abort();
      setLines([]);
      setIsOver(false);
    };
  }, [client, run]);
  return { lines, isOver, error };
}

/** Shows what came once a frame, however fast it comes. */
async function follow(
  output: AsyncIterable<{ text: string }>,
  show: (change: (lines: readonly Said[]) => readonly Said[]) => void,
): Promise<void> {
  let number = 0;
  let waiting: Said[] = [];
  const flush = () => {
    const taken = waiting;
    waiting = [];
    if (taken.length > 0) show((lines) => [...lines, ...taken].slice(-LINES_MAX));
  };
  for await (const { text } of output) {
    if (waiting.length === 0) requestAnimationFrame(flush);
    waiting.push({ number: number++, text });
  }
  flush();
}

function Tell({ run }: { readonly run: Run }) {
  const client = useClient();
  const attempt = useDo();
  const [text, setText] = useState("");
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (await attempt(() => client.sendToRun({ params: { run: run.id }, body: { text } }), `${run.agent} was told.`)) setText("");
  };
  return (
    <form onSubmit={(event) => void send(event)} className="flex items-end gap-2">
      <div className="flex-1">
        <Input
          label={`Tell ${run.agent} something`}
          isQuiet
          placeholder={`Tell ${run.agent} something more`}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Button type="submit" disabled={text.trim() === ""}>
        Send
      </Button>
    </form>
  );
}
