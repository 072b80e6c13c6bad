import { afterEach, expect, test, vi } from "vitest";

import { preferredLocale } from ".";
import { decimals, formatDuration, formatMoney, parseAmount } from "./format";

afterEach(() => {
  localStorage.clear();
  vi.unstubAllGlobals();
});

/** Replaces non-breaking spaces, which differ between ICU versions, by plain ones. */
const plain = (text: string) => text.replaceAll(/\s/g, " ");

test.each([
  [{ amount: 129_010, currency: "EUR" }, "€1,290.10", "1.290,10 €"],
  [{ amount: 5, currency: "EUR" }, "€0.05", "0,05 €"],
  [{ amount: -250, currency: "EUR" }, "-€2.50", "-2,50 €"],
  [{ amount: 129_010, currency: "JPY" }, "¥129,010", "129.010 ¥"],
  [{ amount: 0, currency: "JPY" }, "¥0", "0 ¥"],
])("formats %j", (money, english, german) => {
  expect(plain(formatMoney(money, "en"))).toBe(english);
  expect(plain(formatMoney(money, "de"))).toBe(german);
});

test("each currency has its own number of decimals", () => {
  expect([decimals("EUR"), decimals("JPY"), decimals("KWD")]).toEqual([2, 0, 3]);
});

test.each([
  ["12", "EUR", 1200],
  ["12.5", "EUR", 1250],
  [" 12,05 ", "EUR", 1205],
  ["0,01", "EUR", 1],
  ["1290", "JPY", 1290],
  ["1.5", "JPY", undefined],
  ["12.345", "EUR", undefined],
  ["1.290,10", "EUR", undefined],
  ["-1", "EUR", undefined],
  ["1e3", "EUR", undefined],
  ["", "EUR", undefined],
  [".5", "EUR", undefined],
  ["99999999999999999", "EUR", undefined],
])("parses the typed amount %j in %s", (text, currency, amount) => {
  expect(parseAmount(text, currency)).toBe(amount);
});

test("formatted amounts can be parsed again, with either decimal separator", () => {
  for (const amount of [1, 99, 12_345]) {
    expect(parseAmount((amount / 100).toFixed(2), "EUR")).toBe(amount);
    expect(parseAmount((amount / 100).toFixed(2).replace(".", ","), "EUR")).toBe(amount);
  }
});

test.each([
  [420, "420 ms", "420 ms"],
  [1200, "1.2 sec", "1,2 Sek."],
  [999.6, "1 sec", "1 Sek."],
  [59_960, "1 min", "1 Min."],
  [180_000, "3 min", "3 Min."],
])("formats a duration of %d ms", (milliseconds, english, german) => {
  expect(plain(formatDuration(milliseconds, "en"))).toBe(english);
  expect(plain(formatDuration(milliseconds, "de"))).toBe(german);
});

test.each([
  [["de-AT", "en"], "de"],
  [["en-GB", "de"], "en"],
  [["fr", "de-CH", "en"], "de"],
  [["fr", "en-US"], "en"],
  [["ja"], "en"],
  [[], "en"],
  [["den"], "en"],
])("selects a language for a browser that prefers %j", (languages, locale) => {
  vi.stubGlobal("navigator", { languages });
  expect(preferredLocale()).toBe(locale);
});

test("the chosen language takes precedence over the browser's", () => {
  vi.stubGlobal("navigator", { languages: ["de"] });
  localStorage.setItem("souk.locale", "en");
  expect(preferredLocale()).toBe("en");
  localStorage.setItem("souk.locale", "xx");
  expect(preferredLocale()).toBe("de");
});
