import { lazy, Suspense } from "react";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Card } from "@/ui/card";
import { whenIdle } from "@/ui/later";
import { Skeleton } from "@/ui/skeleton";

import type { MetricsSummary } from "../api";
import { Table } from "../table";
import { totals } from "./figures";
import { messages } from "./messages";

// The chart's library is larger than all the rest, and the figures come first.
const RevenueChart = lazy(() => whenIdle().then(() => import("./revenueChart")));

export type Hour = MetricsSummary["revenue"][number];

/** What each hour brought in: one picture a currency, and the same as a table. */
export function Revenue({ hours }: { hours: readonly Hour[] }) {
  const t = useMessages(messages);
  const format = useFormat();
  return totals(hours.map(({ amount }) => amount)).map(({ currency }) => {
    const own = hours.filter(({ amount }) => amount.currency === currency);
    return (
      <Card key={currency} className="grid gap-4">
        <div>
          <h2 className="text-xl font-semibold">{t.perHour(currency)}</h2>
          <p className="text-sm text-muted">{t.chartText}</p>
        </div>
        <div aria-hidden className="h-64">
          <Suspense fallback={<Skeleton className="h-full" />}>
            <RevenueChart hours={own} />
          </Suspense>
        </div>
        <details>
          <summary className="text-sm text-accent">{t.asTable}</summary>
          <div className="mt-3">
            <Table
              caption={t.perHour(currency)}
              rows={own}
              keyOf={({ hour }) => hour}
              columns={[
                { head: t.hour, render: ({ hour }) => format.moment(hour) },
                { head: t.orders, isNumber: true, render: ({ orders }) => format.number(orders) },
                { head: t.amount, isNumber: true, render: ({ amount }) => format.money(amount) },
              ]}
            />
          </div>
        </details>
      </Card>
    );
  });
}
