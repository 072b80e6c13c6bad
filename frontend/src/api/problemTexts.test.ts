import { expect, test } from "vitest";

import { Problem } from "./problem";
import { textOf } from "./problemTexts";

const refused = (kind: string) => new Problem({ status: 409, kind, title: "Refused", detail: "Only 3 are left." });

test("a refusal is told in the reader's language, and in the server's words where there are no better ones", () => {
  expect(textOf(refused("insufficient-stock"), "de")).toBe("So viele sind nicht mehr da.");
  expect(textOf(refused("insufficient-stock"), "en")).toBe("Only 3 are left.");
  expect(textOf(refused("a-new-one"), "de")).toBe("Only 3 are left.");
  expect(textOf(refused("exceeds-captured"), "en")).not.toContain("3");
  expect(textOf(new TypeError("oops"), "de")).toBe("oops");
});
