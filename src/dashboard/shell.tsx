import { useEffect, useRef, useState, type ReactNode } from "react";
import { useAttention } from "./attention-query.ts";
import { useDaemon } from "./daemon-query.ts";
import { useClient, useConnection } from "./live/use-live.ts";
import { NewTask } from "./new-task.tsx";
import { Palette } from "./palette.tsx";
import { places } from "./places.ts";
import { Link } from "./router.tsx";
import { Button, IconButton } from "./ui/button.tsx";
import { Dialog } from "./ui/dialog.tsx";
import { Icon } from "./ui/icon.tsx";
import { useDo } from "./ui/toasts.tsx";

type Open = "palette" | "task" | "places" | undefined;

/** What is around every page: where one can go, whether we hear of the daemon, and what can be done from anywhere. */
export function Shell({ path, children }: { readonly path: string; readonly children: ReactNode }) {
  const [open, setOpen] = useState<Open>();
  const main = useRef<HTMLElement>(null);
  useShortcut("k", () => setOpen("palette"));
  useEffect(() => setOpen(undefined), [path]);
  const close = () => setOpen(undefined);
  return (
    <div className="flex h-full flex-col md:flex-row">
      <a
        href="#page"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-panel focus:p-2"
        onClick={() => main.current?.focus()}
      >
        Skip to the page
      </a>
      <header className="flex items-center gap-1 border-b border-line bg-panel px-3 py-2 md:hidden">
        <IconButton name="Where to go" onClick={() => setOpen("places")}>
          <Icon name="menu" />
        </IconButton>
        <span className="mr-auto font-semibold">Drover</span>
        <Tools onOpen={setOpen} />
      </header>
      <aside className="hidden w-52 shrink-0 flex-col gap-4 border-r border-line bg-panel p-3 md:flex">
        <span className="px-2 text-lg font-semibold">Drover</span>
        <div className="flex flex-col gap-2">
          <Button kind="main" onClick={() => setOpen("task")}>
            <Icon name="plus" size={16} /> New task
          </Button>
          <Button onClick={() => setOpen("palette")}>
            <Icon name="search" size={16} /> Go to … <kbd className="ml-auto font-sans text-xs text-muted">Ctrl K</kbd>
          </Button>
        </div>
        <Navigation path={path} />
      </aside>
      <main ref={main} id="page" tabIndex={-1} className="flex min-h-0 min-w-0 flex-1 flex-col overflow-y-auto outline-none">
        <ConnectionNotice />
        <PauseNotice />
        <div className="min-h-0 flex-1">{children}</div>
      </main>
      <Palette isOpen={open === "palette"} onClose={close} onNewTask={() => setOpen("task")} />
      {open === "task" ? <NewTask onClose={close} /> : null}
      <Dialog title="Where to go" isOpen={open === "places"} onClose={close}>
        <Navigation path={path} />
      </Dialog>
    </div>
  );
}

function Tools({ onOpen }: { readonly onOpen: (open: Open) => void }) {
  return (
    <>
      <IconButton name="Go to …" onClick={() => onOpen("palette")}>
        <Icon name="search" />
      </IconButton>
      <IconButton name="New task" onClick={() => onOpen("task")}>
        <Icon name="plus" />
      </IconButton>
    </>
  );
}

function Navigation({ path }: { readonly path: string }) {
  const waiting = useAttention().value?.length ?? 0;
  return (
    <nav aria-label="Pages" className="flex flex-col gap-0.5">
      {places.map((place) => (
        <Link
          key={place.path}
          href={place.path}
          aria-current={place.path === path ? "page" : undefined}
          className="flex items-center gap-2.5 rounded-md px-2 py-1.5 text-sm text-muted hover:bg-raised hover:text-ink aria-[current=page]:bg-raised aria-[current=page]:font-medium aria-[current=page]:text-ink"
        >
          <Icon name={place.icon} />
          {place.name}
          {place.path === "/attention" && waiting > 0 ? (
            <span className="ml-auto rounded-full bg-accent px-1.5 text-xs font-semibold text-on-accent">{waiting}</span>
          ) : null}
        </Link>
      ))}
    </nav>
  );
}

/** Nothing while all is well; else that what is shown may be out of date, and when it is not any more. */
function ConnectionNotice() {
  const connection = useConnection();
  const [wasLost, setWasLost] = useState(false);
  useEffect(() => {
    if (connection === "lost") setWasLost(true);
    if (connection !== "live" || !wasLost) return undefined;
    const timer = setTimeout(() => setWasLost(false), 5000);
    return () => clearTimeout(timer);
  }, [connection, wasLost]);
  const text =
    connection === "lost"
      ? "The daemon does not answer. What you see is from before; it goes on by itself when the daemon is back."
      : connection === "live" && wasLost
        ? "The daemon is back, and everything is up to date."
        : "";
  return (
    <div role="status">
      {text === "" ? null : (
        <p className={`border-b border-line bg-raised px-4 py-2 text-sm font-medium ${connection === "lost" ? "text-bad" : "text-good"}`}>
          {text}
        </p>
      )}
    </div>
  );
}

/** That nothing new starts, because somebody said so. */
function PauseNotice() {
  const client = useClient();
  const attempt = useDo();
  if (useDaemon().value?.paused !== true) return null;
  return (
    <div className="flex flex-wrap items-center gap-3 border-b border-line bg-raised px-4 py-2 text-sm">
      <p className="mr-auto font-medium text-warn">The queue is paused: what runs goes on, and nothing new starts.</p>
      <Button onClick={() => void attempt(() => client.changeQueue({ body: { paused: false } }), "Work starts again.")}>Resume</Button>
    </div>
  );
}

/** With Ctrl, or with Cmd on a Mac. */
function useShortcut(key: string, run: () => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== key || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      run();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });
}
