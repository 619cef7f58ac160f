import { useQuery } from "../live/use-live.ts";
import { Empty, Loaded } from "../ui/page.tsx";

const LINES_MAX = 5000;

/** What a task has changed, a file each. */
export function Diff({ taskKey }: { readonly taskKey: string }) {
  const diff = useQuery(
    `diff ${taskKey}`,
    (client, signal) => client.getTaskDiff({ params: { task: taskKey }, signal }),
    ({ type }) => type === "run.checkpointed" || type === "run.ended",
  );
  return (
    <Loaded answer={diff}>
      {(patch) => {
        const lines = patch.split("\n");
        const files = filesOf(lines.slice(0, LINES_MAX));
        if (files.length === 0) return <Empty>It has changed nothing yet.</Empty>;
        return (
          <div className="flex flex-col gap-3">
            {files.map((file) => (
              <details key={file.name} open className="rounded-lg border border-line bg-panel">
                <summary className="px-3 py-2 font-mono text-xs font-medium">
                  {file.name} <span className="text-good">+{file.added}</span> <span className="text-bad">−{file.removed}</span>
                </summary>
                <pre
                  className="overflow-x-auto border-t border-line py-2 font-mono text-xs"
                  tabIndex={0}
                  aria-label={`Changes of ${file.name}`}
                >
                  {file.lines.map((line, index) => (
                    <span key={index} className={`block px-3 whitespace-pre ${toneOf(line)}`}>
                      {line || " "}
                    </span>
                  ))}
                </pre>
              </details>
            ))}
            {lines.length > LINES_MAX ? (
              <p className="text-muted">
                And {lines.length - LINES_MAX} lines more: <code>drover task diff {taskKey}</code>
              </p>
            ) : null}
          </div>
        );
      }}
    </Loaded>
  );
}

interface ChangedFile {
  readonly name: string;
  readonly lines: readonly string[];
  readonly added: number;
  readonly removed: number;
}

/** A patch, taken apart where git begins a file. */
function filesOf(lines: readonly string[]): ChangedFile[] {
  const starts = lines.flatMap((line, index) => (line.startsWith("diff --git ") ? [index] : []));
  return starts.map((start, index) => {
    const own = lines.slice(start, starts[index + 1]);
    const first = own.findIndex((line) => line.startsWith("@@"));
    const body = first < 0 ? own.slice(1) : own.slice(first);
    return {
      name: / b\/(.*)$/.exec(own[0] ?? "")?.[1] ?? "?",
      lines: body,
      added: body.filter((line) => line.startsWith("+")).length,
      removed: body.filter((line) => line.startsWith("-")).length,
    };
  });
}

function toneOf(line: string): string {
  if (line.startsWith("@@")) return "text-busy";
  if (line.startsWith("+")) return "text-good";
  return line.startsWith("-") ? "text-bad" : "";
}
