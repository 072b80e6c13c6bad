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
  /** An address that is still being written. */
  readonly typed?: Partial<Address> | undefined;
  readonly attempt?: Attempt | undefined;
}

const KEY = "souk.checkout";
const NOTHING: Draft = {};
const listeners = new Set<() => void>();
let last: { text: string | null; draft: { user: string; draft: Draft } | undefined } = { text: null, draft: undefined };

/** The draft of this shopper, in this tab; whatever another one left there does not count. */
export function readDraft(user: string): Draft {
  const text = stored();
  // The same text is the same draft, as `useSyncExternalStore` wants it.
  if (text !== last.text) last = { text, draft: parse(text) };
  return last.draft?.user === user ? last.draft.draft : NOTHING;
}

/** Changes some of it. Another address or payment is another order: an attempt for the old ones is given up. */
export function changeDraft(user: string, change: Partial<Draft>): void {
  const isOther = "address" in change || "payment" in change;
  const draft = { ...readDraft(user), ...(isOther ? { attempt: undefined } : {}), ...change };
  write(JSON.stringify({ user, draft }));
  for (const listener of listeners) listener();
}

/** Where the browser keeps nothing, the draft is known until the page is left. */
let kept: string | null = null;

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return kept;
  }
}

function write(text: string): void {
  kept = text;
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    // See above.
  }
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
    const found = JSON.parse(text ?? "null") as { user: string; draft: Draft } | null;
    return found && typeof found.user === "string" && typeof found.draft === "object" ? found : undefined;
  } catch {
    return undefined;
  }
}
