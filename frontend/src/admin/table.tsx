import { type ReactNode, useId } from "react";

import { classes } from "@/ui/classes";

export interface Column<T> {
  readonly head: string;
  readonly render: (row: T) => ReactNode;
  /** Numbers stand at the right, digit under digit. */
  readonly isNumber?: boolean;
}

interface Props<T> {
  /** What the table holds, for those who listen. The page shows it as a heading. */
  caption: string;
  /** The first names the row. */
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
}

/** A table that scrolls by itself where it is too wide, by keyboard too. */
export function Table<T>({ caption, columns, rows, keyOf }: Props<T>) {
  const id = useId();
  const side = (column: Column<T>) => (column.isNumber ? "num text-right" : "text-left");
  return (
    <div
      role="region"
      aria-labelledby={id}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard
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
                className={classes("px-3 py-2.5 first:pl-4 last:pr-4 font-semibold whitespace-nowrap", side(column))}
              >
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
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
