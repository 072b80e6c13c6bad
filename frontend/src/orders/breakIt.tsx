import { useMutation, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useNavigate } from "react-router";

import { api, call } from "@/api/client";
import { MAX_QUANTITY } from "@/cart/useCart";
import { messages as checkout } from "@/checkout/messages";
import { isDemo, paymentMethodsQuery } from "@/checkout/paymentMethods";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { notify } from "@/ui/live";
import { Failure } from "@/ui/states";

import type { JoinedOrder } from "./api";
import { messages } from "./messages";

const KINDS = [
  ["pm_card_declined", "✕"],
  ["pm_card_capture_declined", "↩"],
  ["sold_out", "∅"],
  ["pm_card_slow", "◔"],
  ["pm_card_flaky", "↻"],
  ["pm_card_timeout_after_charge", "?"],
] as const;
type Kind = (typeof KINDS)[number][0];
interface Item {
  sku: string;
  quantity: number;
}

/** Buttons that place the same order again with a fault, and open its checkout. Shown in demo mode only. */
export function BreakIt({ order }: { order: JoinedOrder }) {
  const t = useMessages(messages);
  const { methods } = useMessages(checkout);
  const navigate = useNavigate();
  const offered = useQuery(paymentMethodsQuery);
  // Retrying with the same button must not place a second order.
  const requests = useRef(new Map<Kind, { key: string; items: Item[] }>());
  const place = useMutation({
    mutationFn: async (kind: Kind) => {
      const items = requests.current.get(kind)?.items ?? (kind === "sold_out" ? await moreThanInStock(order) : itemsOf(order));
      if (!items) return undefined;
      const key = requests.current.get(kind)?.key ?? crypto.randomUUID();
      requests.current.set(kind, { key, items });
      return await call(
        api.POST("/v1/orders", {
          params: { header: { "Idempotency-Key": key } },
          body: {
            items,
            shipping_address: order.shipping_address,
            payment_method: kind === "sold_out" ? "pm_card_ok" : kind,
          },
        }),
      );
    },
    onSuccess: (placed, kind) => {
      requests.current.delete(kind);
      if (!placed) return;
      notify(t.brokenPlaced);
      window.scrollTo({ top: 0 });
      void navigate(`/orders/${placed.id}/saga`);
    },
    onError: (error, kind) => {
      if (error instanceof Problem && !error.isRetryable) requests.current.delete(kind);
    },
  });
  if (!isDemo(offered.data)) return null;
  return (
    <section aria-labelledby="break" className="grid gap-4">
      <div className="grid gap-1">
        <h2 id="break" className="text-2xl font-semibold">
          {t.breakTitle}
        </h2>
        <p className="max-w-prose text-muted">{t.breakText}</p>
      </div>
      <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
        {KINDS.map(([kind, sign]) => {
          const { name, text } = kind === "sold_out" ? t.soldOut : (methods[kind] ?? { name: kind, text: "" });
          const isBusy = place.isPending && place.variables === kind;
          return (
            <button
              key={kind}
              type="button"
              disabled={place.isPending}
              aria-busy={isBusy || undefined}
              onClick={() => place.mutate(kind)}
              className="grid grid-cols-[auto_1fr] content-start gap-x-3 rounded-2xl border border-line bg-surface p-4 text-left transition-colors hover:border-clay hover:bg-clay-soft disabled:opacity-60"
            >
              <span
                aria-hidden
                className={`row-span-2 grid size-9 place-items-center rounded-full bg-clay-soft font-bold text-clay ${isBusy ? "animate-pulse" : ""}`}
              >
                {sign}
              </span>
              <span className="font-semibold">{name}</span>
              <span className="text-sm text-muted">{text}</span>
            </button>
          );
        })}
      </div>
      {place.isSuccess && !place.data && (
        <p role="status" className="text-muted">
          {t.plenty}
        </p>
      )}
      {place.isError && <Failure error={place.error} onRetry={() => place.mutate(place.variables)} />}
    </section>
  );
}

/** The order's items, limited to the available quantity, so that only the chosen fault occurs. */
function itemsOf(order: JoinedOrder): Item[] {
  return order.lines.map(({ sku, quantity, product }) => ({ sku, quantity: Math.max(1, Math.min(quantity, product?.available ?? quantity)) }));
}

/**
 * The order's items with the scarcest one in a quantity that exceeds the stock. If an order cannot ask for that many, a
 * sold-out product is added instead. Returns `undefined` if there is none either.
 */
async function moreThanInStock(order: JoinedOrder): Promise<Item[] | undefined> {
  const stocks = await Promise.all(
    order.lines.map(async ({ sku }) => ({
      sku,
      available: (await call(api.GET("/v1/products/{sku}/availability", { params: { path: { sku } } }))).available ?? MAX_QUANTITY,
    })),
  );
  const scarce = stocks.toSorted((a, b) => a.available - b.available)[0];
  if (scarce && scarce.available < MAX_QUANTITY) {
    return itemsOf(order).map((item) => (item.sku === scarce.sku ? { ...item, quantity: scarce.available + 1 } : item));
  }
  const { items } = await call(api.GET("/v1/products", { params: { query: { in_stock: false, limit: 1 } } }));
  const soldOut = items.find(({ in_stock }) => !in_stock);
  return soldOut && [...itemsOf(order), { sku: soldOut.sku, quantity: 1 }];
}
