import { expect, test } from "./support";

test.describe("a German-speaking shopper", () => {
  test.use({ locale: "de-DE" });

  test("finds products by German words, and can switch to English", async ({ page }) => {
    // Not a category in which other tests create products.
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
