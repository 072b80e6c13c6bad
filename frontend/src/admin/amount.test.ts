import { expect, test } from "vitest";

import { amountSchema, amountText } from "./amount";

const texts = { noAmount: "no amount", tooMuch: "too much" };

const parse = (currency: string, typed: string, most?: number) => {
  const result = amountSchema(currency, texts, most).safeParse(typed);
  return result.success ? result.data : result.error.issues[0]?.message;
};

test.each([
  ["EUR", "12.50", 1250],
  ["EUR", " 12,5 ", 1250],
  ["EUR", "25.80", 2580],
  ["EUR", "25.81", "too much"],
  ["EUR", "0", "no amount"],
  ["EUR", "0,00", "no amount"],
  ["EUR", "-1", "no amount"],
  ["EUR", "1.234", "no amount"],
  ["EUR", "", "no amount"],
  ["JPY", "2580", 2580],
  ["JPY", "2580.0", "no amount"],
])("with a limit of 25.80 EUR or 2580 JPY, %s %j is parsed as %j", (currency, typed, expected) => {
  expect(parse(currency, typed, 2580)).toBe(expected);
});

test("formatted amounts can be parsed again, in every language and currency", () => {
  expect(amountText({ amount: 123_456, currency: "EUR" }, "de")).toBe("1234,56");
  expect(amountText({ amount: 5, currency: "EUR" }, "en")).toBe("0.05");
  for (const currency of ["EUR", "JPY"]) {
    for (const locale of ["en", "de"] as const) {
      expect(parse(currency, amountText({ amount: 1_234_567, currency }, locale))).toBe(1_234_567);
    }
  }
});
