import { useSyncExternalStore } from "react";

// Whether the cart drawer is open. The header renders it, but other parts of the page open it too.
let isOpen = false;
const listeners = new Set<() => void>();

/** Opens the cart drawer, or closes it if `next` is false. */
export function openCart(next = true): void {
  isOpen = next;
  for (const listener of listeners) listener();
}

/** Whether the cart drawer is open. */
export function useIsCartOpen(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => isOpen,
  );
}
