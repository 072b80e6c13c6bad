import type { Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";

import { useFaultTexts } from "./faultTexts";
import { messages } from "./messages";

/** The faults that are on, over the page. */
export default function FaultList({ faults }: { faults: readonly Schemas["ActiveFault"][] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const told = useFaultTexts();
  return (
    <aside aria-label={t.faults} className="bg-clay-soft px-4 py-2 text-center text-sm font-semibold text-clay">
      <ul className="grid gap-1">
        {faults.map((fault) => (
          <li key={fault.name}>
            <span aria-hidden>⚡ </span>
            {t.broken(told(fault).title, format.clock(fault.until))}
          </li>
        ))}
      </ul>
    </aside>
  );
}
