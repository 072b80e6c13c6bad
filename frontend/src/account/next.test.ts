import { expect, test } from "vitest";

import { localPath } from "./next";

test.each([
  ["/checkout", "/checkout"],
  ["/products?q=tea&sort=price#top", "/products?q=tea&sort=price#top"],
  [null, "/"],
  ["", "/"],
  ["checkout", "/"],
  ["https://evil.test/", "/"],
  ["//evil.test/", "/"],
  ["/\\evil.test/", "/"],
  ["/\t/evil.test/", "/"],
  ["/.//evil.test/", "/"],
  ["//", "/"],
  ["javascript:alert(1)", "/"],
])("?next=%j redirects to %j", (next, path) => {
  expect(localPath(next)).toBe(path);
});
