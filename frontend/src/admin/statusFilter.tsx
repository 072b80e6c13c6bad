import { useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { SelectField } from "@/ui/field";

import { messages } from "./messages";

/** The status that the address names, if it is one of these; none is all of them. */
export function useStatus<S extends string>(known: readonly S[]): S | undefined {
  const [search] = useSearchParams();
  return known.find((status) => status === search.get("status"));
}

/** Chooses one of the statuses, in the address. */
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
