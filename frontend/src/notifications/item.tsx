import { Link } from "react-router";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { classes } from "@/ui/classes";

import { type Notification, targetOf } from "./api";
import { messages } from "./messages";

/** A notification that links to its order or to the account. */
export function Item({ notification, onOpen }: { notification: Notification; onOpen: () => void }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { title, text, created_at, read_at } = notification;
  return (
    <Link
      to={targetOf(notification)}
      onClick={onOpen}
      className="grid grid-cols-[0.5rem_1fr] gap-x-3 rounded-xl px-3 py-2.5 transition-colors hover:bg-raised"
    >
      <span aria-hidden className={classes("mt-1.5 size-2 rounded-full", !read_at && "bg-accent")} />
      <span className="grid min-w-0 gap-0.5 text-sm">
        <span className={read_at ? "" : "font-semibold"}>
          {!read_at && <span className="sr-only">{t.unread} </span>}
          {title}
        </span>
        <span className="text-muted">{text}</span>
        <time dateTime={created_at} className="text-xs text-muted">
          {format.moment(created_at)}
        </time>
      </span>
    </Link>
  );
}
