import { type APIRequestContext, type Page, expect, test as base } from "@playwright/test";

export const PASSWORD = "a-password-for-tests-1";
export const ADDRESS = { name: "Test", line1: "1 Market Street", city: "Berlin", postal_code: "10115", country: "DE" };

export interface Shopper {
  readonly email: string;
  readonly token: string;
}

/** The API as another client than the page. */
export class Api {
  constructor(
    private readonly request: APIRequestContext,
    private readonly token: string,
  ) {}

  async send<T>(method: string, path: string, data?: unknown): Promise<T> {
    const response = await this.request.fetch(path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "idempotency-key": crypto.randomUUID() },
      ...(data === undefined ? {} : { data }),
    });
    expect(response.ok(), `${method} ${path}: ${response.status()} ${await response.text()}`).toBe(true);
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Deletes a product as it is now. */
  async remove(path: string): Promise<void> {
    const authorization = `Bearer ${this.token}`;
    const etag = (await this.request.get(path)).headers()["etag"] ?? "";
    await this.request.delete(path, { headers: { authorization, "if-match": etag } });
  }

  /** An order over one of a product, and its id. */
  async order(sku: string, method: string, quantity = 1): Promise<string> {
    const { id } = await this.send<{ id: string }>("POST", "/v1/orders", {
      items: [{ sku, quantity }],
      shipping_address: ADDRESS,
      payment_method: method,
    });
    return id;
  }

  async until(order: string, status: string): Promise<void> {
    await expect
      .poll(async () => (await this.send<{ status: string }>("GET", `/v1/orders/${order}`)).status, { timeout: 30_000 })
      .toBe(status);
  }
}

interface Fixtures {
  /** A new account, signed in on the page. */
  shopper: Shopper;
  api: Api;
  admin: Api;
  /** A product of this test's own, with 20 in stock. */
  product: { readonly sku: string; readonly name: string };
  /** Fails the test where the page said an error to the console. */
  quiet: void;
}

export const test = base.extend<Fixtures>({
  shopper: async ({ page, request }, use) => {
    const shopper = await register(request);
    await signIn(page, shopper.email, PASSWORD);
    await use(shopper);
  },
  api: async ({ request, shopper }, use) => {
    await use(new Api(request, shopper.token));
  },
  admin: async ({ request }, use) => {
    await use(new Api(request, await login(request, "admin@souk.test", "admin-password-souk")));
  },
  product: async ({ admin }, use) => {
    const sku = `WEB-${crypto.randomUUID().slice(0, 8)}`;
    const name = `Tin of ${sku}`;
    await admin.send("POST", "/v1/products", {
      sku,
      name,
      description: "Made by a test.",
      category: "tea",
      price: { amount: 1250, currency: "EUR" },
    });
    await admin.send("POST", `/v1/products/${sku}/stock-adjustments`, { delta: 20, reason: "for a test" });
    await use({ sku, name });
    await admin.remove(`/v1/products/${sku}`);
  },
  quiet: [
    async ({ page }, use, info) => {
      const said: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") said.push(message.text());
      });
      page.on("pageerror", (error) => said.push(error.message));
      await use();
      if (!info.annotations.some(({ type }) => type === "noisy")) expect(said, "the console is quiet").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect };

export async function login(request: APIRequestContext, email: string, password: string): Promise<string> {
  const response = await request.post("/v1/auth/login", { data: { email, password } });
  expect(response.status()).toBe(200);
  return ((await response.json()) as { access_token: string }).access_token;
}

export async function register(request: APIRequestContext): Promise<Shopper> {
  const email = `web-${crypto.randomUUID()}@souk.test`;
  const response = await request.post("/v1/auth/register", { data: { email, password: PASSWORD, name: "Web Test" } });
  expect(response.status()).toBe(202);
  return { email, token: await login(request, email, PASSWORD) };
}

/** Signs this page's browser in, as if it had been before: the cookie, and the hint that there is one. */
export async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto("/docs");
  await page.evaluate(
    async (credentials) => {
      const response = await fetch("/v1/auth/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...credentials, session: "cookie" }),
      });
      if (!response.ok) throw new Error(`sign-in: ${response.status}`);
      localStorage.setItem("souk.session", "1");
    },
    { email, password },
  );
}

/** The checkout's first step. */
export async function fillAddress(page: Page): Promise<void> {
  await page.getByLabel("Full name").fill(ADDRESS.name);
  await page.getByLabel("Street and number").fill(ADDRESS.line1);
  await page.getByLabel("Postal code").fill(ADDRESS.postal_code);
  await page.getByLabel("Town or city").fill(ADDRESS.city);
  await page.getByLabel("Country").selectOption(ADDRESS.country);
}
