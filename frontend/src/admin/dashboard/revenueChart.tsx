import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";

import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";

import type { RevenueHour } from "../api";
import { messages } from "./messages";

const tick = { fill: "var(--color-muted)", fontSize: 12 };

/** A bar chart of the revenue. It is hidden from assistive technology, because a table shows the same data. */
export default function RevenueChart({ hours }: { hours: readonly RevenueHour[] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const clock = new Intl.DateTimeFormat(format.locale, { hour: "2-digit", minute: "2-digit" });
  const currency = hours[0]?.amount.currency ?? "EUR";
  const money = (amount: unknown) => format.money({ amount: Number(amount), currency });
  const bars = hours.map(({ hour, amount, orders }) => ({
    hour: clock.format(new Date(hour)),
    amount: amount.amount,
    orders,
  }));
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart data={bars} accessibilityLayer={false} margin={{ top: 8, right: 0, bottom: 0, left: 0 }}>
        <CartesianGrid vertical={false} stroke="var(--color-line)" />
        <XAxis dataKey="hour" tick={tick} tickLine={false} axisLine={{ stroke: "var(--color-edge)" }} minTickGap={16} />
        <YAxis tickFormatter={money} tick={tick} tickLine={false} axisLine={false} width={84} />
        <Tooltip
          cursor={{ fill: "var(--color-raised)" }}
          contentStyle={{
            background: "var(--color-surface)",
            border: "1px solid var(--color-line)",
            borderRadius: 12,
          }}
          itemStyle={{ color: "var(--color-ink)" }}
          formatter={money}
        />
        <Bar
          dataKey="amount"
          name={t.amount}
          fill="var(--color-accent)"
          radius={[6, 6, 0, 0]}
          maxBarSize={28}
          isAnimationActive={false}
        />
      </BarChart>
    </ResponsiveContainer>
  );
}
