import { useFormat } from "@/i18n/format";

interface Props {
  /** The number that corresponds to 100 %. */
  whole: number;
  bars: readonly { name: string; count: number }[];
}

/** Numbers with their share of the whole, and decorative bars. */
export function Bars({ whole, bars }: Props) {
  const format = useFormat();
  return (
    <ul className="grid gap-3">
      {bars.map(({ name, count }) => {
        const share = whole === 0 ? 0 : count / whole;
        return (
          <li key={name} className="grid gap-1">
            <span className="flex justify-between gap-4 text-sm">
              <span className="font-medium">{name}</span>
              <span className="num">
                {format.number(count)} <span className="text-muted">({format.percent(share)})</span>
              </span>
            </span>
            <span aria-hidden className="h-2.5 overflow-hidden rounded-full bg-raised">
              <span className="block h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}
