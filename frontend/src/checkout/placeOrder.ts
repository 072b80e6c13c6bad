import { api, call, type Schemas, send } from "@/api/client";
import { Problem } from "@/api/problem";
import type { CartItem } from "@/cart/useCart";
import { traced } from "@/telemetry";

import { type Address, changeDraft, readDraft } from "./draft";

/**
 * Orders what is in the cart. The attempt is kept from before it is sent until there is a final answer, over reloads
 * too: asking again asks about the same order. Address and payment stay for the next one.
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

/** Whether this answer is the last word on an attempt: nothing was ordered, and never will be by it. */
export function isFinal(error: unknown): boolean {
  return error instanceof Problem && !error.mayPass && error.kind !== "request-in-flight";
}

export interface LineChange {
  readonly name: string;
  /** 0 where it was not there. */
  readonly before: number;
  readonly after: number;
}

/** What is different in the cart now. */
export function changesOf(before: readonly CartItem[], after: readonly CartItem[]): LineChange[] {
  const skus = new Set([...before, ...after].map(({ sku }) => sku));
  return [...skus].flatMap((sku) => {
    const [old, now] = [before, after].map((items) => items.find((item) => item.sku === sku));
    const change = { before: old?.quantity ?? 0, after: now?.quantity ?? 0 };
    return change.before === change.after ? [] : [{ name: (now ?? old)?.product?.name ?? sku, ...change }];
  });
}
