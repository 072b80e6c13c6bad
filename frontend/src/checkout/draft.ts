import { useSyncExternalStore } from "react";

import type { Schemas } from "@/api/client";

export type Address = Schemas["Address"];

/** What was sent and has no final answer yet. The same key with the same words cannot order twice. */
export interface Attempt {
  readonly key: string;
  readonly shipping_address: Address;
  readonly payment_method: string;
}

/** What a shopper has told the checkout so far. */
export interface Draft {
  readonly address?: Address | undefined;
  readonly payment?: string | undefined;
  readonly attempt?: Attempt | undefined;
}

const KEY = "souk.checkout";
const NOTHING: Draft = {};
const listeners = new Set<() => void>();
let last: { text: string | null; stored: { user: string; draft: Draft } | undefined } = { text: null, stored: undefined };

/** The draft of this shopper, in this tab; whatever another one left there does not count. */
export function readDraft(user: string): Draft {
  const text = sessionStorage.getItem(KEY);
  // The same text is the same draft, as `useSyncExternalStore` wants it.
  if (text !== last.text) last = { text, stored: parse(text) };
  return last.stored?.user === user ? last.stored.draft : NOTHING;
}

/** Changes some of it. Another address or payment is another order: an attempt for the old ones is given up. */
export function changeDraft(user: string, change: Partial<Draft>): void {
  const draft = { ...readDraft(user), ...("attempt" in change ? {} : { attempt: undefined }), ...change };
  sessionStorage.setItem(KEY, JSON.stringify({ user, draft }));
  for (const listener of listeners) listener();
}

export function useDraft(user: string): Draft {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => readDraft(user),
  );
}

function parse(text: string | null): { user: string; draft: Draft } | undefined {
  try {
    const stored = JSON.parse(text ?? "null") as { user: string; draft: Draft } | null;
    return stored && typeof stored.user === "string" && typeof stored.draft === "object" ? stored : undefined;
  } catch {
    return undefined;
  }
}
