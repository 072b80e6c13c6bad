import { expect, test } from "vitest";

import { Problem } from ".";
import { messageFor } from "./texts";

const refused = (kind: string) => new Problem({ status: 409, kind, title: "Refused", detail: "Only 3 are left." });

test("messages are translated where a translation exists, and are the server's own otherwise", () => {
  expect(messageFor(refused("insufficient-stock"), "de")).toBe("So viele sind nicht mehr verfügbar.");
  expect(messageFor(refused("insufficient-stock"), "en")).toBe("Only 3 are left.");
  expect(messageFor(refused("unknown-kind"), "de")).toBe("Only 3 are left.");
  expect(messageFor(refused("exceeds-captured"), "en")).not.toContain("3");
  expect(messageFor(new TypeError("oops"), "de")).toBe("oops");
});
