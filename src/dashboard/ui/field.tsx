import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes, TextareaHTMLAttributes } from "react";

const shape = "w-full rounded-md border border-line bg-panel px-2.5 py-1.5 text-sm text-ink placeholder:text-muted";

/** A label with what it is of. `isQuiet`: only those hear it who don't see the field. */
function Labelled({
  label,
  isQuiet,
  hint,
  children,
}: {
  readonly label: string;
  readonly isQuiet?: boolean | undefined;
  readonly hint?: string | undefined;
  readonly children: ReactNode;
}) {
  return (
    <label className="block">
      <span className={isQuiet ? "sr-only" : "mb-1 block text-sm font-medium"}>{label}</span>
      {children}
      {hint === undefined ? null : <span className="mt-1 block text-xs text-muted">{hint}</span>}
    </label>
  );
}

interface Naming {
  readonly label: string;
  readonly isQuiet?: boolean;
  readonly hint?: string;
}

export function Input({ label, isQuiet, hint, className = "", ...rest }: Naming & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Labelled label={label} isQuiet={isQuiet} hint={hint}>
      <input className={`${shape} ${className}`} {...rest} />
    </Labelled>
  );
}

export function TextArea({ label, isQuiet, hint, className = "", ...rest }: Naming & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Labelled label={label} isQuiet={isQuiet} hint={hint}>
      <textarea className={`${shape} ${className}`} {...rest} />
    </Labelled>
  );
}

export function Select({ label, isQuiet, hint, className = "", ...rest }: Naming & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Labelled label={label} isQuiet={isQuiet} hint={hint}>
      <select className={`${shape} ${className}`} {...rest} />
    </Labelled>
  );
}
