import type { Schemas } from "@/api/client";

export type Scope = Schemas["Scope"];

/** Everything that a key can be allowed to do, the least first. */
export const SCOPES: readonly Scope[] = ["read", "order", "admin"];

/** How long a key can be valid, in days. */
export const LIFETIMES = [7, 30, 90, 365] as const;

/** The time so many days from now, as the API takes it. */
export function inDays(days: number, now = Date.now()): string {
  return new Date(now + days * 86_400_000).toISOString();
}
