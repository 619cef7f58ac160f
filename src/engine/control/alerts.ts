import { dismissAlert, listAlerts } from "../../store/alerts.ts";
import { appendAudit } from "../../store/audit.ts";
import type { ControlParts, Verbs } from "./scope.ts";

type Names = "listAlerts" | "dismissAlert" | "listChannels" | "testChannel";

/** What a person must see, and where it is sent. */
export function alertVerbs({ database, channels }: ControlParts): Verbs<Names> {
  const { reader } = database;

  return {
    listAlerts({ query }) {
      const items = listAlerts(reader, {
        open: query.open,
        ...(query.after === undefined ? {} : { after: query.after }),
        limit: query.limit,
      });
      return { items, next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },

    dismissAlert: ({ params, actor }) =>
      database.write((tx) => {
        const alert = dismissAlert(tx, params.alert);
        const { kind, subject, message } = alert;
        appendAudit(tx, { actor, action: "alert.dismiss", subject, detail: { kind, message } });
        return alert;
      }),

    listChannels: () => ({ items: channels.channels() }),

    async testChannel({ params: { channel }, signal }) {
      await channels.test(channel, signal);
      return { channel, sent: true };
    },
  };
}
