/** Our own small signs, drawn on 24 by 24 with a line. */
const paths = {
  board: "M4 4h4v16H4zM10 4h4v10h-4zM16 4h4v13h-4z",
  attention: "M12 3a6 6 0 0 0-6 6v4l-2 4h16l-2-4V9a6 6 0 0 0-6-6zM10 20h4",
  workers: "M4 8h16v8H4zM8 8V5M16 8V5M8 19v-3M16 19v-3",
  breakers: "M13 3 5 14h6l-1 7 8-11h-6z",
  projects: "M3 6h6l2 2h10v11H3z",
  plans: "M6 4v6M6 10h12v4M6 10v4M6 14v6M18 14v6",
  metrics: "M4 20V4M4 20h16M8 16v-4M12 16V8M16 16v-6",
  workflows: "M5 4h6v5H5zM13 15h6v5h-6zM8 9v8h5",
  history: "M12 7v5l3 2M4 12a8 8 0 1 0 2.5-5.8L4 8.500M4 4v4.500h4.500",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
  plus: "M12 5v14M5 12h14",
  menu: "M4 6h16M4 12h16M4 18h16",
  close: "M6 6l12 12M18 6 6 18",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  out: "M7 17 17 7M9 7h8v8",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 3 : 1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
