import { type ReactNode, useId, useState } from "react";

import { classes } from "@/ui/classes";

/** A column of a {@link Table}. */
export interface Column<T> {
  readonly head: string;
  readonly render: (row: T) => ReactNode;
  /** Aligns numbers to the right with tabular digits. */
  readonly isNumber?: boolean;
  /** The value by which the table can be sorted: numbers first from the highest, texts from A to Z, and null always last. */
  readonly sortBy?: (row: T) => string | number | null;
}

interface Sort {
  readonly head: string;
  readonly isReversed: boolean;
}

interface Props<T> {
  /** The accessible name of the table, which the page shows as a heading. */
  caption: string;
  /** The columns. The first one is the row header. */
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
}

/** A table that scrolls horizontally if it is too wide, also by keyboard. */
export function Table<T>({ caption, columns, rows, keyOf }: Props<T>) {
  const id = useId();
  const [sort, setSort] = useState<Sort>();
  const sorted = sortRows(rows, columns, sort);
  const side = (column: Column<T>) => (column.isNumber ? "num text-right whitespace-nowrap" : "text-left");
  return (
    <div
      role="region"
      aria-labelledby={id}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrollable region must be reachable by keyboard
      tabIndex={0}
      className="relative overflow-x-auto rounded-2xl border border-line bg-surface"
    >
      <table className="w-full border-collapse text-sm">
        <caption id={id} className="sr-only">
          {caption}
        </caption>
        <thead className="border-b border-line bg-raised text-muted">
          <tr>
            {columns.map((column) => (
              <th
                key={column.head}
                scope="col"
                aria-sort={column.head === sort?.head ? order(column, sort) : undefined}
                className={classes("px-3 py-2.5 first:pl-4 last:pr-4 font-semibold whitespace-nowrap", side(column))}
              >
                {column.sortBy ? (
                  <button
                    type="button"
                    className="-mx-1 inline-flex items-center gap-1 rounded px-1 py-0.5 hover:text-ink"
                    onClick={() =>
                      setSort({ head: column.head, isReversed: column.head === sort?.head && !sort.isReversed })
                    }
                  >
                    {column.head}
                    <span aria-hidden className={column.head === sort?.head ? "" : "opacity-50"}>
                      {column.head === sort?.head ? (order(column, sort) === "ascending" ? "▲" : "▼") : "↕"}
                    </span>
                  </button>
                ) : (
                  column.head
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {sorted.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column, index) =>
                index === 0 ? (
                  <th key={column.head} scope="row" className={classes("py-3 pr-3 pl-4 font-normal", side(column))}>
                    {column.render(row)}
                  </th>
                ) : (
                  <td key={column.head} className={classes("px-3 py-3 last:pr-4", side(column))}>
                    {column.render(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function order<T>({ isNumber }: Column<T>, { isReversed }: Sort): "ascending" | "descending" {
  return Boolean(isNumber) === isReversed ? "ascending" : "descending";
}

function sortRows<T>(rows: readonly T[], columns: readonly Column<T>[], sort: Sort | undefined): readonly T[] {
  const column = columns.find(({ head }) => head === sort?.head);
  const by = column?.sortBy;
  if (!column || !by || !sort) return rows;
  const sign = order(column, sort) === "ascending" ? 1 : -1;
  return rows.toSorted((one, other) => {
    const [a, b] = [by(one), by(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const difference = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    return sign * difference;
  });
}
