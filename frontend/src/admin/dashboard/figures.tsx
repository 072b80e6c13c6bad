import type { ReactNode } from "react";

import { useMessages } from "@/i18n";
import { type Money, useFormat } from "@/i18n/format";
import { classes } from "@/ui/classes";

import type { MetricsSummary } from "../api";
import { TextLink } from "../textLink";
import { messages } from "./messages";

/** The key figures of the shop. */
export function Figures({ summary }: { summary: MetricsSummary }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { orders, funnel, sagas, outbox, dead_letters } = summary;
  const age = (seconds: number | null | undefined) =>
    seconds == null ? t.idle : t.oldest(format.duration(seconds * 1000));
  return (
    <dl className="grid grid-cols-2 gap-4 lg:grid-cols-4">
      <Figure name={t.revenue} isWide>
        {totals(summary.revenue.map(({ amount }) => amount)).map(format.money).join(" + ")}
      </Figure>
      <Figure name={t.orders}>{format.number(orders.total)}</Figure>
      <Figure
        name={t.confirmed}
        note={funnel.placed > 0 && t.ofOrders(format.percent(funnel.confirmed / funnel.placed))}
      >
        {format.number(funnel.confirmed)}
      </Figure>
      <Figure name={t.activeSagas} note={age(sagas.oldest_active_age_seconds)}>
        {format.number(sagas.running + sagas.compensating)}
      </Figure>
      <Figure name={t.outbox} note={age(outbox.oldest_age_seconds)}>
        {format.number(outbox.pending)}
      </Figure>
      <Figure name={t.parked} isBad={sagas.parked > 0} note={<Decide count={sagas.parked} to="/admin/sagas" />}>
        {format.number(sagas.parked)}
      </Figure>
      <Figure
        name={t.deadLetters}
        isBad={dead_letters > 0}
        note={<Decide count={dead_letters} to="/admin/dead-letters" />}
      >
        {format.number(dead_letters)}
      </Figure>
    </dl>
  );
}

/** One key figure with its name and an optional note. */
export function Figure({
  name,
  note,
  isBad = false,
  isWide = false,
  children,
}: {
  name: string;
  note?: ReactNode;
  isBad?: boolean;
  isWide?: boolean;
  children: ReactNode;
}) {
  return (
    <div
      className={classes(
        "grid content-start gap-1 rounded-2xl border p-4",
        isBad ? "border-clay/40 bg-clay-soft" : "border-line bg-surface",
        isWide && "col-span-2",
      )}
    >
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="num font-display text-3xl font-semibold">{children}</dd>
      {note && <dd className="text-sm text-muted">{note}</dd>}
    </div>
  );
}

function Decide({ count, to }: { count: number; to: string }) {
  const t = useMessages(messages);
  return count > 0 ? <TextLink to={to}>{t.decide}</TextLink> : t.idle;
}

/** Returns the sum of the amounts in each currency. */
export function totals(amounts: readonly Money[]): Money[] {
  const sums = new Map<string, number>();
  for (const { amount, currency } of amounts) sums.set(currency, (sums.get(currency) ?? 0) + amount);
  return Array.from(sums, ([currency, amount]) => ({ amount, currency }));
}
