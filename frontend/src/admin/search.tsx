import { useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";

import { messages } from "./messages";

const KEY = "search";

/** Returns the search term in the address. Its parameter is not `q`, which belongs to the product search in the header. */
export function useSearchTerm(): string {
  return useSearchParams()[0].get(KEY) ?? "";
}

/** A search field that writes its term to the address. */
export function Search({ label }: { label: string }) {
  const t = useMessages(messages);
  const setSearch = useSearchParams()[1];
  const term = useSearchTerm();
  return (
    <form
      role="search"
      aria-label={label}
      // Resets the field when the address changes, for example by the back button.
      key={term}
      className="flex max-w-xl items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const next = String(new FormData(event.currentTarget).get(KEY)).trim();
        setSearch(next ? { [KEY]: next } : {});
      }}
    >
      <TextField label={label} type="search" name={KEY} defaultValue={term} maxLength={200} className="min-w-0 flex-1" />
      <Button type="submit">{t.search}</Button>
    </form>
  );
}
