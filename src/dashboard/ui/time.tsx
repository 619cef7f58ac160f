import { ago, dateTime } from "../../words/format.ts";
import { useNow } from "../live/use-live.ts";

/** How long ago something was; the very time for who wants to know. */
export function Ago({ at }: { readonly at: number }) {
  const now = useNow();
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)} className="whitespace-nowrap">
      {ago(at, now)}
    </time>
  );
}
