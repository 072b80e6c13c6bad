import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";

import { Table } from "./table";

afterEach(cleanup);

test("a table has a name and row headers, and can be scrolled by keyboard", () => {
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
        { head: "Items", isNumber: true, render: ({ count }) => count },
      ]}
    />,
  );
  const table = screen.getByRole("table", { name: "Stock" });
  expect(within(table).getAllByRole("columnheader").map(({ textContent }) => textContent)).toEqual(["SKU", "Items"]);
  const row = within(table).getByRole("rowheader", { name: "TEA-0002" }).closest("tr");
  expect(row).toHaveTextContent("TEA-00020");

  expect(screen.getByRole("region", { name: "Stock" })).toHaveProperty("tabIndex", 0);
});

function order(): string {
  return screen.getAllByRole("rowheader").map(({ textContent }) => textContent).join("");
}

async function press(head: string): Promise<void> {
  await userEvent.click(screen.getByRole("button", { name: head }));
}

test("a table is sorted by the column whose header is pressed, in the other order when it is pressed again", async () => {
  render(
    <Table
      caption="Stock"
      rows={[
        { sku: "B", count: 3 },
        { sku: "C", count: null },
        { sku: "A", count: 10 },
      ]}
      keyOf={({ sku }) => sku}
      columns={[
        { head: "SKU", sortBy: ({ sku }) => sku, render: ({ sku }) => sku },
        { head: "Items", isNumber: true, sortBy: ({ count }) => count, render: ({ count }) => count },
      ]}
    />,
  );
  expect(order()).toBe("BCA");
  await press("SKU");
  expect(order()).toBe("ABC");
  await press("Items");
  expect(order()).toBe("ABC");
  expect(screen.getByRole("columnheader", { name: "Items" })).toHaveAttribute("aria-sort", "descending");
  expect(screen.getByRole("columnheader", { name: "SKU" })).not.toHaveAttribute("aria-sort");
  await press("Items");
  expect(order()).toBe("BAC");
  expect(screen.getByRole("columnheader", { name: "Items" })).toHaveAttribute("aria-sort", "ascending");
});
