import { useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";

import { messages } from "./messages";

/** What is sought stands in the address as `q`. */
export function Search({ label }: { label: string }) {
  const t = useMessages(messages);
  const [search, setSearch] = useSearchParams();
  const sought = search.get("q") ?? "";
  return (
    <form
      role="search"
      // The browser's way back shows here, too.
      key={sought}
      className="flex max-w-xl items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        const q = String(new FormData(event.currentTarget).get("q")).trim();
        setSearch(q ? { q } : {});
      }}
    >
      <TextField label={label} type="search" name="q" defaultValue={sought} maxLength={200} className="min-w-0 flex-1" />
      <Button type="submit">{t.search}</Button>
    </form>
  );
}
