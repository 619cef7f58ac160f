import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";

export interface Tab {
  readonly name: string;
  readonly show: () => ReactNode;
}

export function Tabs({
  tabs,
  chosen,
  onChoose,
}: {
  readonly tabs: readonly Tab[];
  readonly chosen: string;
  readonly onChoose: (name: string) => void;
}) {
  return (
    <Base.Root value={chosen} onValueChange={(name: string) => onChoose(name)} className="flex min-h-0 flex-col gap-4">
      <Base.List className="flex gap-1 overflow-x-auto border-b border-line">
        {tabs.map(({ name }) => (
          <Base.Tab
            key={name}
            value={name}
            className="-mb-px border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-muted data-[active]:border-accent data-[active]:text-ink"
          >
            {name}
          </Base.Tab>
        ))}
      </Base.List>
      {tabs.map(({ name, show }) => (
        <Base.Panel key={name} value={name} className="outline-none">
          {name === chosen ? show() : null}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
