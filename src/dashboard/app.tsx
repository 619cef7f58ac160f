import { lazy, Suspense, type ReactNode } from "react";
import { useConnection } from "./live/use-live.ts";
import { BoardPage } from "./pages/board.tsx";
import { usePath } from "./router.tsx";
import { Shell } from "./shell.tsx";
import { Empty, Loading, Page } from "./ui/page.tsx";

// The board is what one sees first; the others are loaded when one goes there.
const AttentionPage = lazy(async () => ({ default: (await import("./pages/attention.tsx")).AttentionPage }));
const TaskPage = lazy(async () => ({ default: (await import("./pages/task.tsx")).TaskPage }));
const WorkersPage = lazy(async () => ({ default: (await import("./pages/workers.tsx")).WorkersPage }));
const BreakersPage = lazy(async () => ({ default: (await import("./pages/breakers.tsx")).BreakersPage }));
const ProjectsPage = lazy(async () => ({ default: (await import("./pages/projects.tsx")).ProjectsPage }));
const PlansPage = lazy(async () => ({ default: (await import("./pages/plans.tsx")).PlansPage }));
const AnalyticsPage = lazy(async () => ({ default: (await import("./pages/analytics.tsx")).AnalyticsPage }));
const WorkflowsPage = lazy(async () => ({ default: (await import("./pages/workflows.tsx")).WorkflowsPage }));
const HistoryPage = lazy(async () => ({ default: (await import("./pages/history.tsx")).HistoryPage }));
const SettingsPage = lazy(async () => ({ default: (await import("./pages/settings.tsx")).SettingsPage }));

const pages: readonly { readonly path: RegExp; readonly show: (name: string) => ReactNode }[] = [
  { path: /^\/$/, show: () => <BoardPage /> },
  { path: /^\/attention$/, show: () => <AttentionPage /> },
  { path: /^\/tasks\/([^/]+)$/, show: (key) => <TaskPage key={key} taskKey={key} /> },
  { path: /^\/workers$/, show: () => <WorkersPage /> },
  { path: /^\/breakers$/, show: () => <BreakersPage /> },
  { path: /^\/projects$/, show: () => <ProjectsPage /> },
  { path: /^\/plans$/, show: () => <PlansPage /> },
  { path: /^\/analytics$/, show: () => <AnalyticsPage /> },
  { path: /^\/workflows$/, show: () => <WorkflowsPage /> },
  { path: /^\/history$/, show: () => <HistoryPage /> },
  { path: /^\/settings$/, show: () => <SettingsPage /> },
];

export function App() {
  const path = usePath();
  const connection = useConnection();
  if (connection === "refused") return <LoggedOut />;
  return (
    <Shell path={path}>
      <Suspense fallback={<Loading />}>{pageAt(path)}</Suspense>
    </Shell>
  );
}

function pageAt(path: string): ReactNode {
  for (const page of pages) {
    const found = page.path.exec(path);
    if (found) return page.show(decodeURIComponent(found[1] ?? ""));
  }
  return (
    <Page title="Not found">
      <Empty>There is no page {path}.</Empty>
    </Page>
  );
}

function LoggedOut() {
  return (
    <main className="mx-auto flex min-h-full max-w-md flex-col justify-center gap-3 p-6">
      <h1 className="text-xl font-semibold">This browser is not logged in</h1>
      <p>
        Type <code className="rounded bg-raised px-1.5 py-0.5 font-mono">drover dashboard</code> in a terminal on the machine of the daemon,
        and follow the link that it prints. It works once, for five minutes.
      </p>
    </main>
  );
}
