import type { ButtonHTMLAttributes, ReactNode } from "react";

type Kind = "plain" | "main" | "bad" | "quiet";

const buttonShape =
  "inline-flex items-center justify-center gap-2 rounded-md px-3 py-1.5 text-sm font-medium whitespace-nowrap disabled:cursor-not-allowed disabled:opacity-50";

const kinds: Readonly<Record<Kind, string>> = {
  plain: "border border-line bg-panel hover:bg-raised",
  main: "border border-transparent bg-accent text-on-accent hover:opacity-90",
  bad: "border border-bad text-bad bg-panel hover:bg-raised",
  quiet: "border border-transparent hover:bg-raised",
};

export function Button({ kind = "plain", className = "", ...rest }: ButtonHTMLAttributes<HTMLButtonElement> & { readonly kind?: Kind }) {
  return <button type="button" className={`${buttonShape} ${kinds[kind]} ${className}`} {...rest} />;
}

/** A button that is a sign; its name is for those who don't see it. */
export function IconButton({
  name,
  children,
  ...rest
}: { readonly name: string; readonly children: ReactNode } & ButtonHTMLAttributes<HTMLButtonElement>) {
  return (
    <button
      type="button"
      aria-label={name}
      title={name}
      className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-muted hover:bg-raised hover:text-ink"
      {...rest}
    >
      {children}
    </button>
  );
}
