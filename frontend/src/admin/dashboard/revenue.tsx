import { lazy, Suspense } from "react";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Card } from "@/ui/card";
import { whenIdle } from "@/ui/later";
import { Skeleton } from "@/ui/skeleton";

import type { RevenueHour } from "../api";
import { Table } from "../table";
import { totals } from "./figures";
import { messages } from "./messages";

// The chart library is large, so it is loaded after the figures are shown.
const RevenueChart = lazy(() => whenIdle().then(() => import("./revenueChart")));

/** The revenue of each hour as a chart and as a table, for each currency. */
export function Revenue({ hours }: { hours: readonly RevenueHour[] }) {
  const t = useMessages(messages);
  const format = useFormat();
  return totals(hours.map(({ amount }) => amount)).map(({ currency }) => {
    const inCurrency = hours.filter(({ amount }) => amount.currency === currency);
    return (
      <Card key={currency} className="grid gap-4">
        <div>
          <h2 className="text-xl font-semibold">{t.perHour(currency)}</h2>
          <p className="text-sm text-muted">{t.chartText}</p>
        </div>
        <div aria-hidden className="h-64">
          <Suspense fallback={<Skeleton className="h-full" />}>
            <RevenueChart hours={inCurrency} />
          </Suspense>
        </div>
        <details>
          <summary className="text-sm text-accent">{t.asTable}</summary>
          <div className="mt-3">
            <Table
              caption={t.perHour(currency)}
              rows={inCurrency}
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
