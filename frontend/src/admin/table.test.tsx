import { render, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";

import { Table } from "./table";

test("a table says what it is, what each row is about, and can be scrolled by keyboard", () => {
  render(
    <Table
      caption="Stock"
      rows={[
        { sku: "TEA-0001", count: 3 },
        { sku: "TEA-0002", count: 0 },
      ]}
      keyOf={({ sku }) => sku}
      columns={[
        { head: "SKU", render: ({ sku }) => sku },
        { head: "Units", isNumber: true, render: ({ count }) => count },
      ]}
    />,
  );
  const table = screen.getByRole("table", { name: "Stock" });
  expect(within(table).getAllByRole("columnheader").map(({ textContent }) => textContent)).toEqual(["SKU", "Units"]);
  const row = within(table).getByRole("rowheader", { name: "TEA-0002" }).closest("tr");
  expect(row).toHaveTextContent("TEA-00020");

  expect(screen.getByRole("region", { name: "Stock" })).toHaveProperty("tabIndex", 0);
});
