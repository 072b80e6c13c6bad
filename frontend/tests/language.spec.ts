import { expect, test } from "./support";

test.describe("a shopper who reads German", () => {
  test.use({ locale: "de-DE" });

  test("finds the catalog in German, by German words, and in English on changing their mind", async ({ page }) => {
    // Not the category of what other tests list.
    await page.goto("/products?category=textiles");
    await expect(page.getByRole("link", { name: "Alpakasocken" })).toBeVisible();
    await page.goto("/products?q=geschirrtucher");
    await page.getByRole("link", { name: "Geschirrtücher aus Leinen" }).click();
    await expect(page.getByText("Zwei Tücher aus gewaschenem Leinen", { exact: false })).toBeVisible();
    await expect(page.getByText("Leinen", { exact: true })).toBeVisible();
    await page.getByLabel("Sprache").selectOption("en");
    await expect(page.getByRole("heading", { level: 1, name: "Linen Tea Towels" })).toBeVisible();
    await page.reload();
    await expect(page.getByRole("heading", { level: 1, name: "Linen Tea Towels" })).toBeVisible();
  });
});
