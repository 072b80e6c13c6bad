import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import { delay, http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import type { ReactNode } from "react";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { tokenOf } from "@/session/fakes";
import { session } from "@/session/session";

import { guestCart } from "./guestCart";
import { type Product, useMergeGuestCart, useCart } from "./useCart";

const product = (sku: string, amount: number) => ({ sku, name: sku, price: { amount, currency: "EUR" } }) as Product;

/** The quantities in the cart on the server. */
let stored: Record<string, number>;
let refused: string | undefined;
/** The server responds to changes once this resolves. */
let changeResponse: Promise<void>;

const server = setupServer(
  http.post("*/v1/auth/login", async ({ request }) => {
    const { email } = (await request.json()) as { email: string };
    return HttpResponse.json({ access_token: tokenOf(email), expires_in: 600 });
  }),
  http.get("*/v1/cart", () =>
    HttpResponse.json({
      items: Object.entries(stored).map(([sku, quantity]) => ({ sku, quantity, product: product(sku, 100) })),
      degraded: [],
    }),
  ),
  http.put("*/v1/cart/items/:sku", async ({ params, request }) => {
    const { quantity } = (await request.json()) as { quantity: number };
    const sku = String(params["sku"]);
    await changeResponse;
    if (sku === refused) return HttpResponse.json({ detail: "no more lines" }, { status: 422 });
    stored[sku] = quantity;
    return HttpResponse.json({ items: [] });
  }),
);
beforeAll(() => server.listen());
afterAll(() => server.close());

beforeEach(() => {
  stored = { A: 1 };
  refused = undefined;
  changeResponse = Promise.resolve();
});
afterEach(() => {
  guestCart.clear();
  server.resetHandlers();
});

function render() {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={queries}>{children}</QueryClientProvider>
  );
  return renderHook(
    () => {
      useMergeGuestCart();
      return useCart();
    },
    { wrapper },
  ).result;
}

const quantities = (cart: ReturnType<typeof render>) =>
  Object.fromEntries(cart.current.cart?.items.map(({ sku, quantity }) => [sku, quantity]) ?? []);

test("a change is shown at once with new totals, and is rolled back if it is rejected", async () => {
  await session.signIn({ email: "one", password: "right" });
  const cart = render();
  await waitFor(() => expect(quantities(cart)).toEqual({ A: 1 }));

  refused = "B";
  let respond: (() => void) | undefined;
  changeResponse = new Promise((resolve) => {
    respond = resolve;
  });
  let result: Promise<unknown> | undefined;
  act(() => {
    result = cart.current.setQuantity("B", 2, product("B", 300)).catch((error: unknown) => error);
  });
  await waitFor(() => expect(quantities(cart)).toEqual({ A: 1, B: 2 }));
  expect(cart.current.count).toBe(3);
  expect(cart.current.cart?.total).toEqual({ amount: 700, currency: "EUR" });

  // The rollback must not wait for the cart to be fetched again.
  server.use(http.get("*/v1/cart", () => delay("infinite")));
  respond?.();
  expect(await result).toMatchObject({ status: 422, message: "no more lines" });
  await waitFor(() => expect(quantities(cart)).toEqual({ A: 1 }));
});

test("changes are sent sequentially, and rolling one back does not affect the others", async () => {
  await session.signIn({ email: "two", password: "right" });
  const cart = render();
  await waitFor(() => expect(quantities(cart)).toEqual({ A: 1 }));

  refused = "B";
  await act(async () => {
    await Promise.allSettled([
      cart.current.setQuantity("A", 2),
      cart.current.setQuantity("B", 9),
      cart.current.setQuantity("A", 3),
    ]);
  });
  await waitFor(() => expect(quantities(cart)).toEqual({ A: 3 }));
  expect(stored).toEqual({ A: 3 });
});

test("the guest cart is merged into the user's cart", async () => {
  guestCart.set("A", 2);
  guestCart.set("C", 1);
  await session.signIn({ email: "three", password: "right" });
  const cart = render();
  await waitFor(() => expect(quantities(cart)).toEqual({ A: 3, C: 1 }));
  expect(guestCart.lines()).toEqual([]);
  expect(stored).toEqual({ A: 3, C: 1 });
});
