import { writeStored } from "@/browser";

/** A product and its quantity, which is at least 1. */
export interface CartLine {
  readonly sku: string;
  readonly quantity: number;
}

const KEY = "souk.cart";
const listeners = new Set<() => void>();
let lines = read();

function read(): readonly CartLine[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored.filter(
      (line: Partial<CartLine>): line is CartLine =>
        typeof line?.sku === "string" && Number.isInteger(line.quantity) && Number(line.quantity) > 0,
    );
  } catch {
    return [];
  }
}

function write(next: readonly CartLine[]): void {
  lines = next;
  writeStored(KEY, JSON.stringify(next));
  for (const listener of listeners) listener();
}

// Another tab has changed the cart.
window.addEventListener("storage", ({ key }) => {
  if (key === KEY) write(read());
});

/** The cart of a guest, kept in local storage until the guest signs in. */
export const guestCart = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  lines: (): readonly CartLine[] => lines,
  set(sku: string, quantity: number): void {
    write(withQuantity(lines, sku, quantity));
  },
  clear(): void {
    write([]);
  },
};

/** Returns the lines with the quantity of one SKU changed; 0 removes its line. */
export function withQuantity<L extends CartLine>(all: readonly L[], sku: string, quantity: number): readonly L[] {
  if (quantity === 0) return all.filter((line) => line.sku !== sku);
  if (all.some((line) => line.sku === sku)) {
    return all.map((line) => (line.sku === sku ? { ...line, quantity } : line));
  }
  return [...all, { sku, quantity } as L];
}
