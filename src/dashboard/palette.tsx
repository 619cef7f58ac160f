import { useMemo, useState, type KeyboardEvent } from "react";
import { useBoard, useClient } from "./live/use-live.ts";
import { places } from "./places.ts";
import { goTo, taskAddress } from "./router.tsx";
import { chooseTheme } from "./theme.ts";
import { Dialog } from "./ui/dialog.tsx";
import { useDo } from "./ui/toasts.tsx";

interface Command {
  readonly id: string;
  readonly name: string;
  readonly hint: string;
  readonly run: () => void;
}

const SHOWN_MAX = 12;

/** Goes anywhere and does what can be done from anywhere, by a few letters of its name. */
export function Palette({
  isOpen,
  onClose,
  onNewTask,
}: {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onNewTask: () => void;
}) {
  return (
    <Dialog title="Go to …" isOpen={isOpen} onClose={onClose}>
      <Choice onClose={onClose} onNewTask={onNewTask} />
    </Dialog>
  );
}

function Choice({ onClose, onNewTask }: { readonly onClose: () => void; readonly onNewTask: () => void }) {
  const [typed, setTyped] = useState("");
  const [index, setIndex] = useState(0);
  const found = useFound(typed, onNewTask);
  const chosen = found[Math.min(index, found.length - 1)];
  const run = (command: Command | undefined) => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) setIndex((index + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") run(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <input
        autoFocus
        role="combobox"
        aria-label="Page, task or action"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={chosen?.id}
        placeholder="A page, a task, an action"
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setIndex(0);
        }}
        onKeyDown={onKey}
        className="mb-3 w-full rounded-md border border-line bg-page px-3 py-2"
      />
      <ul id="commands" role="listbox" aria-label="Found">
        {found.map((command) => (
          <li
            key={command.id}
            id={command.id}
            role="option"
            aria-selected={command === chosen}
            onClick={() => run(command)}
            className="flex cursor-default items-baseline gap-3 rounded-md px-3 py-1.5 aria-selected:bg-raised"
          >
            <span className="min-w-0 truncate">{command.name}</span>
            <span className="ml-auto shrink-0 text-xs text-muted">{command.hint}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 ? <p className="p-2 text-muted">Nothing has all of these words.</p> : null}
    </>
  );
}

function useFound(typed: string, onNewTask: () => void): Command[] {
  const { cards } = useBoard();
  const actions = useActions(onNewTask);
  return useMemo(() => {
    const words = typed.toLowerCase().split(/\s+/u).filter(Boolean);
    const has = (text: string) => words.every((word) => text.toLowerCase().includes(word));
    const found = actions.filter(({ name }) => has(name));
    if (words.length === 0) return found.slice(0, SHOWN_MAX);
    for (const { id, key, title } of cards.values()) {
      if (found.length >= SHOWN_MAX) break;
      if (has(`${key} ${title}`)) found.push({ id, name: `${key} ${title}`, hint: "task", run: () => goTo(taskAddress(key)) });
    }
    return found.slice(0, SHOWN_MAX);
  }, [typed, cards, actions]);
}

function useActions(onNewTask: () => void): Command[] {
  const client = useClient();
  const attempt = useDo();
  return useMemo(() => {
    const pause = (paused: boolean) =>
      void attempt(() => client.changeQueue({ body: { paused } }), paused ? "Nothing new starts." : "Work starts again.");
    return [
      { id: "new-task", name: "New task", hint: "action", run: onNewTask },
      ...places.map(({ name, path }) => ({ id: `place-${name}`, name, hint: "page", run: () => goTo(path) })),
      { id: "pause", name: "Pause the queue", hint: "action", run: () => pause(true) },
      { id: "resume", name: "Resume the queue", hint: "action", run: () => pause(false) },
      { id: "light", name: "Theme: light", hint: "action", run: () => chooseTheme("light") },
      { id: "dark", name: "Theme: dark", hint: "action", run: () => chooseTheme("dark") },
      { id: "system", name: "Theme: as the system", hint: "action", run: () => chooseTheme("system") },
    ];
  }, [client, attempt, onNewTask]);
}
