import { useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { SelectField } from "@/ui/field";

import { messages } from "./messages";

/** Returns the status in the address, or `undefined` (all) if it is missing or unknown. */
export function useStatus<S extends string>(known: readonly S[]): S | undefined {
  const [search] = useSearchParams();
  return known.find((status) => status === search.get("status"));
}

/** A filter that writes the chosen status to the address. */
export function StatusFilter<S extends keyof typeof messages.en.statuses>({ known }: { known: readonly S[] }) {
  const t = useMessages(messages);
  const [, setSearch] = useSearchParams();
  return (
    <SelectField
      label={t.status}
      value={useStatus(known) ?? ""}
      className="w-60"
      onChange={({ target }) => setSearch(target.value ? { status: target.value } : {})}
    >
      <option value="">{t.all}</option>
      {known.map((status) => (
        <option key={status} value={status}>
          {t.statuses[status]}
        </option>
      ))}
    </SelectField>
  );
}
