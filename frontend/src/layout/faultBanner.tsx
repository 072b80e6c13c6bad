import { useQuery } from "@tanstack/react-query";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";

import { useFaultTexts } from "./faultTexts";
import { messages } from "./messages";

/** What an operator broke on purpose, on every page while it is broken. */
export function FaultBanner() {
  const t = useMessages(messages);
  const format = useFormat();
  const told = useFaultTexts();
  const { data } = useQuery({
    queryKey: ["catalog", "faults"],
    // Outside demo mode nothing can be broken on purpose, and the list is empty.
    queryFn: async ({ signal }) => (await call(api.GET("/v1/faults", { signal }))).items,
    refetchInterval: 15_000,
    retry: false,
  });
  if (!data || data.length === 0) return null;
  return (
    <aside aria-label={t.faults} className="bg-clay-soft px-4 py-2 text-center text-sm font-semibold text-clay">
      <ul className="grid gap-1">
        {data.map((fault) => (
          <li key={fault.name}>
            <span aria-hidden>⚡ </span>
            {t.broken(told(fault).title, format.clock(fault.until))}
          </li>
        ))}
      </ul>
    </aside>
  );
}
