import { type QueryClient, useQuery } from "@tanstack/react-query";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Skeleton } from "@/ui/skeleton";

import { messages } from "./messages";

type Levels = Schemas["StockLevels"];

const key = (sku: string) => ["admin", "levels", sku] as const;

/** One stock level of a product. All levels of a product come from one request. */
export function Level({ sku, of }: { sku: string; of: "on_hand" | "available" | "held" | "committed" }) {
  const t = useMessages(messages);
  const format = useFormat();
  const { data, error } = useQuery({
    queryKey: key(sku),
    queryFn: ({ signal }) => call(api.GET("/v1/products/{sku}/stock", { params: { path: { sku } }, signal })),
  });
  if (data) {
    const isOut = of === "available" && data.available === 0;
    return <span className={isOut ? "font-bold text-clay" : ""}>{format.number(data[of])}</span>;
  }
  if (error) return <span title={t.unknown}>?</span>;
  return <Skeleton className="ml-auto h-5 w-8" />;
}

/** Stores the levels that an adjustment has returned. */
export function cacheLevels(queries: QueryClient, levels: Levels): void {
  queries.setQueryData(key(levels.sku), levels);
}
