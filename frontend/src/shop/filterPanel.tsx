import { useId, useState } from "react";

import { useMessages } from "@/i18n";
import { decimals, parseAmount, useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { classes } from "@/ui/classes";
import { TextField } from "@/ui/field";

import { type Page, countOf } from "./catalog";
import { type Filters, isNarrowed } from "./filters";
import { messages } from "./messages";
import { pageMessages } from "./pageMessages";

interface Props {
  filters: Filters;
  /** The current result, for the facet counts; undefined while loading. */
  page: Page | undefined;
  currency: string;
  onChange: (filters: Filters) => void;
}

/** The filters of the product list, with the number of products for each choice. */
export function FilterPanel({ filters, page, currency, onChange }: Props) {
  const t = useMessages(messages);
  const p = useMessages(pageMessages);
  const name = useId();
  const { category, in_stock, ...others } = filters;
  // Known categories are shown while loading, to avoid a layout shift.
  const known = Object.entries(t.categories).map(([slug, label]) => ({ slug, name: label, count: undefined }));
  const categories = page?.facets.categories ?? known;
  return (
    <div className="grid gap-6">
      <fieldset className="grid gap-1">
        <legend className="mb-2 font-semibold">{p.category}</legend>
        <Choice
          name={name}
          label={p.all}
          count={page && countOf(page, undefined)}
          isChosen={category === undefined}
          onChoose={() => onChange({ ...others, ...(in_stock && { in_stock }) })}
        />
        {categories.map(({ slug, name: serverName, count }) => (
          <Choice
            key={slug}
            name={name}
            label={t.categories[slug] ?? serverName}
            count={count}
            isChosen={category === slug}
            onChoose={() => onChange({ ...filters, category: slug })}
          />
        ))}
      </fieldset>
      {/* The key resets the fields when the address changes, for example by the back button. */}
      <PriceRange
        key={`${filters.min_price}-${filters.max_price}`}
        filters={filters}
        range={page?.facets.price}
        currency={currency}
        onChange={onChange}
      />
      <fieldset>
        <legend className="mb-2 font-semibold">{p.stock}</legend>
        <label className="flex min-h-9 items-center gap-2.5 rounded-lg px-2 hover:bg-raised">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={in_stock === true}
            onChange={({ target }) => onChange({ ...others, ...(category && { category }), ...(target.checked && { in_stock: true }) })}
          />
          {t.inStock}
          <Count count={page?.facets.in_stock} />
        </label>
      </fieldset>
      {isNarrowed(filters) && (
        <Button onClick={() => onChange({ ...(filters.q && { q: filters.q }), ...(filters.sort && { sort: filters.sort }) })}>
          {p.clear}
        </Button>
      )}
    </div>
  );
}

interface ChoiceProps {
  name: string;
  label: string;
  count: number | undefined;
  isChosen: boolean;
  onChoose: () => void;
}

function Choice({ name, label, count, isChosen, onChoose }: ChoiceProps) {
  return (
    <label
      className={classes(
        "flex min-h-9 items-center gap-2.5 rounded-lg px-2 hover:bg-raised",
        isChosen && "font-semibold",
        count === 0 && !isChosen && "text-muted",
      )}
    >
      <input type="radio" name={name} checked={isChosen} onChange={onChoose} className="size-4 accent-accent" />
      {label}
      <Count count={count} />
    </label>
  );
}

function Count({ count }: { count: number | undefined }) {
  return <span className="num ml-auto text-sm font-normal text-muted">{count}</span>;
}

interface PriceProps extends Omit<Props, "page"> {
  range: Page["facets"]["price"] | undefined;
}

function PriceRange({ filters, range, currency, onChange }: PriceProps) {
  const p = useMessages(pageMessages);
  const { locale } = useFormat();
  const [error, setError] = useState<string>();
  const places = decimals(currency);
  const digits = { useGrouping: false, minimumFractionDigits: places, maximumFractionDigits: places };
  const write = (amount: number | null | undefined) =>
    typeof amount === "number" ? (amount / 10 ** places).toLocaleString(locale, digits) : undefined;
  const apply = (form: FormData) => {
    const read = (field: string) => {
      const text = String(form.get(field) ?? "").trim();
      return text === "" ? null : parseAmount(text, currency);
    };
    const [min, max] = [read("min"), read("max")];
    if (min === undefined || max === undefined) return setError(p.badPrice);
    if (min !== null && max !== null && min > max) return setError(p.priceOrder);
    setError(undefined);
    const { min_price: _min, max_price: _max, ...others } = filters;
    return onChange({ ...others, ...(min !== null && { min_price: min }), ...(max !== null && { max_price: max }) });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        apply(new FormData(event.currentTarget));
      }}
    >
      <fieldset className="grid gap-3">
        <legend className="mb-2 font-semibold">{`${p.price} (${currency})`}</legend>
        <div className="grid grid-cols-2 gap-3">
          <TextField
            name="min"
            label={p.from}
            inputMode="decimal"
            autoComplete="off"
            defaultValue={write(filters.min_price)}
            placeholder={write(range?.min)}
          />
          <TextField
            name="max"
            label={p.to}
            inputMode="decimal"
            autoComplete="off"
            defaultValue={write(filters.max_price)}
            placeholder={write(range?.max)}
          />
        </div>
        {error && (
          <p role="alert" className="text-sm text-clay">
            {error}
          </p>
        )}
        <Button type="submit">{p.apply}</Button>
      </fieldset>
    </form>
  );
}
