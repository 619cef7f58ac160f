import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { IconButton } from "./button.tsx";
import { Icon } from "./icon.tsx";

/** A window over the page. The keyboard stays in it until it is closed, and then goes back to where it was. */
export function Dialog({
  title,
  isOpen,
  onClose,
  children,
}: {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}) {
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => (open ? undefined : onClose())}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-20 bg-shade" />
        <Base.Popup className="fixed inset-x-0 top-[8vh] z-30 mx-auto max-h-[84vh] w-[min(36rem,calc(100vw-2rem))] overflow-y-auto rounded-xl border border-line bg-panel p-5 text-ink shadow-xl">
          <div className="mb-4 flex items-center gap-2">
            <Base.Title className="mr-auto text-lg font-semibold">{title}</Base.Title>
            <Base.Close render={<IconButton name="Close">{<Icon name="close" />}</IconButton>} />
          </div>
          {children}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
