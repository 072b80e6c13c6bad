import { useFormat } from "@/i18n/format";
import { classes } from "@/ui/classes";

/** The share of responses that are errors; anything above 0 stands out if it `isBad`. */
export function Share({ of, isBad = true }: { of: number; isBad?: boolean }) {
  const format = useFormat();
  return (
    <span className={classes(of === 0 && "text-muted", of > 0 && isBad && "font-bold text-clay")}>
      {of === 0 ? "–" : format.percent(of)}
    </span>
  );
}
