import type { Schemas } from "@/api/client";

/** A permission of an API key. */
export type Scope = Schemas["Scope"];

/** The scopes of an API key, ordered from least to most powerful. */
export const SCOPES: readonly Scope[] = ["read", "order", "admin"];

/** The lifetimes to choose from, in days. */
export const LIFETIMES = [7, 30, 90, 365] as const;

/** Returns the time in that many days, as an ISO 8601 string. */
export function inDays(days: number, now = Date.now()): string {
  return new Date(now + days * 86_400_000).toISOString();
}
