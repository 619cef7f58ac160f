import type { IconName } from "./ui/icon.tsx";

export interface Place {
  readonly name: string;
  readonly path: string;
  readonly icon: IconName;
}

/** Where one can go, in the order of the navigation. */
export const places: readonly Place[] = [
  { name: "Board", path: "/", icon: "board" },
  { name: "Attention", path: "/attention", icon: "attention" },
  { name: "Workers", path: "/workers", icon: "workers" },
  { name: "Breakers", path: "/breakers", icon: "breakers" },
  { name: "Projects", path: "/projects", icon: "projects" },
  { name: "Plans", path: "/plans", icon: "plans" },
  { name: "Analytics", path: "/analytics", icon: "metrics" },
  { name: "Workflows", path: "/workflows", icon: "workflows" },
  { name: "History", path: "/history", icon: "history" },
  { name: "Settings", path: "/settings", icon: "settings" },
];
