import { api, call, type Schemas, send } from "@/api/client";
import type { CartItem } from "@/cart/useCart";
import { Problem } from "@/problem";
import { traced } from "@/telemetry";

import { type Address, changeDraft, readDraft } from "./draft";

/**
 * Orders the items in the cart. The attempt is stored before it is sent and kept until there is a final response, even
 * across reloads, so that a retry repeats the same request. The address and payment method are kept for the next order.
 */
export async function placeOrder(user: string, address: Address, payment: string): Promise<Schemas["Order"]> {
  const attempt = readDraft(user).attempt ?? {
    key: crypto.randomUUID(),
    shipping_address: address,
    payment_method: payment,
  };
  changeDraft(user, { attempt });
  const { key, ...body } = attempt;
  try {
    const order = await traced("place order", (within) =>
      call(
        api.POST("/v1/orders", {
          params: { header: { "Idempotency-Key": key } },
          body,
          fetch: (request) => within(() => send(request)),
        }),
      ),
    );
    changeDraft(user, { attempt: undefined });
    return order;
  } catch (error) {
    if (isFinal(error)) changeDraft(user, { attempt: undefined });
    throw error;
  }
}

/** Whether an error settles an attempt: it has placed no order, and repeating it would not either. */
export function isFinal(error: unknown): boolean {
  return error instanceof Problem && !error.isRetryable && error.kind !== "request-in-flight";
}

/** A change of the quantity of a product in the cart. */
export interface LineChange {
  readonly name: string;
  /** Quantity before the change; 0 if the product is new. */
  readonly before: number;
  /** Quantity after the change; 0 if the product was removed. */
  readonly after: number;
}

/** Returns the lines whose quantity differs. */
export function changesOf(before: readonly CartItem[], after: readonly CartItem[]): LineChange[] {
  const skus = new Set([...before, ...after].map(({ sku }) => sku));
  return [...skus].flatMap((sku) => {
    const [old, now] = [before, after].map((items) => items.find((item) => item.sku === sku));
    const change = { before: old?.quantity ?? 0, after: now?.quantity ?? 0 };
    return change.before === change.after ? [] : [{ name: (now ?? old)?.product?.name ?? sku, ...change }];
  });
}
