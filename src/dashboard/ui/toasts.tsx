import { createContext, useCallback, useContext, useState, type ReactNode } from "react";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isBad: boolean;
}

const SHOWN_MS = 6000;
const SHOWN_MAX = 4;

type Tell = (text: string, isBad?: boolean) => void;
const TellContext = createContext<Tell>(() => {});

/** Says for a while, in a corner, what came of something. */
export function useTell(): Tell {
  return useContext(TellContext);
}

/** Does something of the API's that a person asked for, and says what came of it. */
export function useDo(): (doing: () => Promise<unknown>, done?: string) => Promise<boolean> {
  const tell = useTell();
  return useCallback(
    async (doing, done) => {
      try {
        await doing();
        if (done !== undefined) tell(done);
        return true;
      } catch (thrown) {
        tell(thrown instanceof Error ? thrown.message : String(thrown), true);
        return false;
      }
    },
    [tell],
  );
}

export function Toasts({ children }: { readonly children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const tell = useCallback<Tell>((text, isBad = false) => {
    const id = performance.now();
    setToasts((shown) => [...shown.slice(1 - SHOWN_MAX), { id, text, isBad }]);
    setTimeout(() => setToasts((shown) => shown.filter((toast) => toast.id !== id)), SHOWN_MS);
  }, []);
  return (
    <TellContext value={tell}>
      {children}
      <div
        role="status"
        className="pointer-events-none fixed right-4 bottom-4 z-40 flex max-w-[min(28rem,calc(100vw-2rem))] flex-col gap-2"
      >
        {toasts.map((toast) => (
          <p
            key={toast.id}
            className={`rounded-lg border bg-panel px-4 py-2.5 shadow-lg ${toast.isBad ? "border-bad text-bad" : "border-line"}`}
          >
            {toast.text}
          </p>
        ))}
      </div>
    </TellContext>
  );
}
