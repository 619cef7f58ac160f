import { Menu as Base } from "@base-ui/react/menu";
import { IconButton } from "./button.tsx";
import { Icon } from "./icon.tsx";

export interface MenuItem {
  readonly name: string;
  readonly run: () => void;
  readonly isBad?: boolean;
}

/** What can be done with one thing, behind three dots. */
export function Menu({ name, items }: { readonly name: string; readonly items: readonly MenuItem[] }) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={<IconButton name={name}>{<Icon name="more" />}</IconButton>} />
      <Base.Portal>
        <Base.Positioner align="end" sideOffset={4} className="z-30">
          <Base.Popup className="min-w-44 rounded-lg border border-line bg-panel p-1 text-sm text-ink shadow-lg outline-none">
            {items.map((item) => (
              <Base.Item
                key={item.name}
                onClick={item.run}
                className={`cursor-default rounded-md px-3 py-1.5 outline-none data-[highlighted]:bg-raised ${item.isBad ? "text-bad" : ""}`}
              >
                {item.name}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
