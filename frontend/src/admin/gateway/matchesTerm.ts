import type { Route } from "./api";

/** Whether a route's name, methods, path, policies or upstreams contain every word of the term, in any case. */
export function matchesTerm({ name, match, policies, action }: Route, term: string): boolean {
  const text = [name, ...match.methods, match.path, ...match.hosts, ...policies.map((policy) => policy.name), ...action.upstreams]
    .join("\n")
    .toLowerCase();
  return term
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
