import { expect, test } from "vitest";

import { lineRange, placeOf } from "./configError";

test("an error is split into its position and its message", () => {
  expect(placeOf("line 9, column 12: there is no upstream named `nobody`\nand more")).toEqual({
    line: 9,
    column: 12,
    message: "there is no upstream named `nobody`\nand more",
  });
  expect(placeOf("`listeners` cannot change while the gateway runs; restart it")).toBeUndefined();
});

test("a line is found in the text", () => {
  const text = "version: 1\n\nroutes: {}";
  const line = (number: number) => text.slice(...lineRange(text, number));
  expect([line(1), line(2), line(3), line(4)]).toEqual(["version: 1", "", "routes: {}", ""]);
});
