import type { ReactNode } from "react";
import { useParams } from "react-router";

import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { RequireUser } from "@/session/requireUser";
import { ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";

import type { JoinedOrder } from "./api";
import { messages } from "./messages";
import { shortId } from "./status";
import { useOrderEvents } from "./useOrderEvents";

/** The order with the state of its event stream. */
type Live = ReturnType<typeof useOrderEvents> & { order: JoinedOrder };

interface Props {
  /** Returns the page title for an order number. */
  title: (number: string) => string;
  children: (live: Live) => ReactNode;
}

/** Loads the order in the address and subscribes to its events. Shows an error page if it does not exist. */
export function OrderFrame({ title, children }: Props) {
  const { id = "" } = useParams();
  // The key resets all state when the address changes to another order.
  return (
    <RequireUser>
      <LiveOrder key={id} id={id} title={title}>
        {children}
      </LiveOrder>
    </RequireUser>
  );
}

function LiveOrder({ id, title, children }: Props & { id: string }) {
  const t = useMessages(messages);
  const { order, ...live } = useOrderEvents(id);
  if (order) {
    return (
      <>
        {order.degraded.length > 0 && (
          <p role="status" className="mb-6 rounded-2xl bg-saffron-soft px-5 py-3 text-sm font-medium text-saffron">
            <span aria-hidden>▲ </span>
            {t.degraded(order.degraded.map((part) => t.parts[part] ?? part).join(", "))}
          </p>
        )}
        {children({ order, ...live })}
      </>
    );
  }
  if (live.error instanceof Problem && live.error.status === 404) {
    return (
      <Page title={t.notFound} lead={t.notFoundText}>
        <div>
          <ButtonLink to="/orders" look="primary">
            {t.toOrders}
          </ButtonLink>
        </div>
      </Page>
    );
  }
  if (live.error) {
    return (
      <Page title={t.order("")}>
        <Failure error={live.error} onRetry={live.refetch} />
      </Page>
    );
  }
  return (
    <div aria-busy>
      {/* A blank lead keeps the height of the final one. */}
      <Page title={title(shortId(id))} lead={"\u00a0"}>
        <Skeleton className="-mt-2 h-6 w-72" />
        <Skeleton className="h-80" />
        <Skeleton className="h-48" />
      </Page>
    </div>
  );
}
