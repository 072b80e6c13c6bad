import { useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";

import { messages } from "./messages";

const KEY = "search";

/** What the page's {@link Search} looks for. It stands in the address, and not as `q`, which is the shop's own search. */
export function useSought(): string {
  return useSearchParams()[0].get(KEY) ?? "";
}

export function Search({ label }: { label: string }) {
  const t = useMessages(messages);
  const setSearch = useSearchParams()[1];
  const sought = useSought();
  return (
    <form
      role="search"
      aria-label={label}
      // The browser's way back shows here, too.
      key={sought}
      className="flex max-w-xl items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const next = String(new FormData(event.currentTarget).get(KEY)).trim();
        setSearch(next ? { [KEY]: next } : {});
      }}
    >
      <TextField label={label} type="search" name={KEY} defaultValue={sought} maxLength={200} className="min-w-0 flex-1" />
      <Button type="submit">{t.search}</Button>
    </form>
  );
}
