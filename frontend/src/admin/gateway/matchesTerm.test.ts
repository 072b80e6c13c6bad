import { expect, test } from "vitest";

import type { Route } from "./api";
import { matchesTerm } from "./matchesTerm";

const route = {
  name: "cancel_order",
  match: { hosts: ["*.shop.test"], scheme: null, path: "/v1/orders/{id}/cancel", methods: ["POST"], headers: {}, query: {} },
  policies: [{ name: "user", links: ["auth"] }],
  action: { kind: "forward", upstreams: ["orders"], detail: null },
} as unknown as Route;

test.each(["", "Cancel", "/v1/orders/{id}", "post", "user", "shop.test", "POST orders"])("the route is found by %j", (term) => {
  expect(matchesTerm(route, term)).toBe(true);
});

test.each(["payments", "GET orders", "auth"])("the route is not found by %j", (term) => {
  expect(matchesTerm(route, term)).toBe(false);
});
