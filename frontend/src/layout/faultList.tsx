import type { Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";

import { useFaultTexts } from "./faultTexts";
import { messages } from "./messages";

/** The active faults, shown above the page. */
export default function FaultList({ faults }: { faults: readonly Schemas["ActiveFault"][] }) {
  const t = useMessages(messages);
  const format = useFormat();
  const translate = useFaultTexts();
  return (
    <aside aria-label={t.faults} className="bg-clay-soft px-4 py-2 text-center text-sm font-semibold text-clay">
      <ul className="grid gap-1">
        {faults.map((fault) => (
          <li key={fault.name}>
            <span aria-hidden>⚡ </span>
            {t.fault(translate(fault).title, format.clock(fault.until))}
          </li>
        ))}
      </ul>
    </aside>
  );
}
