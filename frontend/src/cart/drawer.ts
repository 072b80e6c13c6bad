import { useSyncExternalStore } from "react";

/** Whether the cart's drawer is open. Its button is in the header, but others open it, too. */
let isOpen = false;
const listeners = new Set<() => void>();

export function openCart(next = true): void {
  isOpen = next;
  for (const listener of listeners) listener();
}

export function useIsCartOpen(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isOpen,
  );
}
