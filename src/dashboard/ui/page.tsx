import { useEffect, type ReactNode } from "react";
import type { Answer } from "../live/query.ts";
import { Button } from "./button.tsx";

/** What each page is in: its name, what can be done on the whole of it, and what it shows. */
export function Page({
  title,
  actions,
  children,
  isFull = false,
}: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly isFull?: boolean;
}) {
  useEffect(() => {
    document.title = `${title} · Drover`;
  }, [title]);
  return (
    <div className={`flex flex-col gap-4 p-4 md:p-6 ${isFull ? "h-full min-h-0" : "min-h-full"}`}>
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="mr-auto text-xl font-semibold">{title}</h1>
        {actions}
      </header>
      {children}
    </div>
  );
}

export function Panel({
  title,
  actions,
  children,
}: {
  readonly title?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="min-w-0 rounded-lg border border-line bg-panel p-4" aria-label={title}>
      {title === undefined ? null : (
        <header className="mb-3 flex flex-wrap items-center gap-2">
          <h2 className="mr-auto font-semibold">{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

/** The value of an answer as it is shown; until it is there, and when it can't be had, what is the matter. */
export function Loaded<Value>({
  answer,
  children,
}: {
  readonly answer: Answer<Value> & { readonly refresh?: () => void };
  readonly children: (value: Value) => ReactNode;
}) {
  if (answer.value !== undefined) return children(answer.value);
  if (answer.error === undefined) return <Loading />;
  return (
    <div role="alert" className="rounded-lg border border-bad bg-panel p-4">
      <p className="font-medium text-bad">{answer.error.message}</p>
      {answer.refresh === undefined ? null : (
        <Button className="mt-3" onClick={answer.refresh}>
          Try again
        </Button>
      )}
    </div>
  );
}

export function Loading() {
  return (
    <div role="status" className="animate-pulse p-4 text-muted">
      Loading …
    </div>
  );
}

export function Empty({ children }: { readonly children: ReactNode }) {
  return <div className="rounded-lg border border-dashed border-line p-6 text-center text-muted">{children}</div>;
}
