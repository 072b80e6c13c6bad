import { useSyncExternalStore } from "react";

import type { Schemas } from "@/api/client";

/** A postal address as an order contains it. */
export type Address = Schemas["Address"];

/** An order request without a final response yet. Repeating it with the same key and body cannot create a second order. */
export interface Attempt {
  /** The idempotency key. */
  readonly key: string;
  readonly shipping_address: Address;
  readonly payment_method: string;
}

/** The shopper's input to the checkout so far. */
export interface Draft {
  readonly address?: Address | undefined;
  readonly payment?: string | undefined;
  /** The values of an address form that is not submitted yet. */
  readonly typed?: Partial<Address> | undefined;
  readonly attempt?: Attempt | undefined;
}

const KEY = "souk.checkout";
const EMPTY: Draft = {};
const listeners = new Set<() => void>();
let last: { text: string | null; draft: { user: string; draft: Draft } | undefined } = { text: null, draft: undefined };

/** Returns the shopper's draft in this tab, ignoring the draft of another user. */
export function readDraft(user: string): Draft {
  const text = stored();
  // `useSyncExternalStore` needs the same object for the same text.
  if (text !== last.text) last = { text, draft: parse(text) };
  return last.draft?.user === user ? last.draft.draft : EMPTY;
}

/** Changes part of the draft. A change of address or payment discards a pending attempt, because it is a different order. */
export function changeDraft(user: string, change: Partial<Draft>): void {
  const isDifferentOrder = "address" in change || "payment" in change;
  const draft = { ...readDraft(user), ...(isDifferentOrder ? { attempt: undefined } : {}), ...change };
  write(JSON.stringify({ user, draft }));
  for (const listener of listeners) listener();
}

/** The draft, for browsers that forbid storage. */
let fallback: string | null = null;

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return fallback;
  }
}

function write(text: string): void {
  fallback = text;
  try {
    sessionStorage.setItem(KEY, text);
  } catch {
    // `fallback` holds the draft.
  }
}

/** Returns the draft and re-renders when it changes. */
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
