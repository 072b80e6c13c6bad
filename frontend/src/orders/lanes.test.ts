import { expect, it } from "vitest";

import { layOut } from "./lanes";
import { checkout, returning, step } from "./sagas.fake";

const before = checkout.slice(0, 3).map((name) => step(name, { state: "done" }));
const refusedCapture = [
  ...before,
  step("capture_payment", { state: "refused" }),
  step("commit_stock", { state: "skipped" }),
  step("confirm_order", { state: "skipped" }),
  step("pin_stock", { direction: "undo", state: "done" }),
  step("authorize_payment", { direction: "undo", state: "running" }),
  step("reserve_stock", { direction: "undo" }),
];

it("gives each service a lane and each step the next column", () => {
  const { lanes, places, columns, rows, pivot } = layOut({ steps: checkout.map((name) => step(name)) });
  expect(lanes.map(({ service }) => service)).toEqual(["orders", "inventory", "payments"]);
  expect(places.map(({ column }) => column)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(places.map(({ row }) => row)).toEqual([1, 2, 1, 2, 1, 0]);
  expect([columns, rows]).toEqual([6, 3]);
  expect(pivot).toBe(3);
});

it("places each compensation below its step, so that compensations run to the left", () => {
  const { lanes, places, lines } = layOut({ steps: refusedCapture });
  expect(lanes).toEqual([
    { service: "orders", row: 0, rows: 1 },
    { service: "inventory", row: 1, rows: 2 },
    { service: "payments", row: 3, rows: 2 },
  ]);
  const undone = places.filter((place) => place.step.direction === "undo");
  expect(undone.map(({ column }) => column)).toEqual([2, 1, 0]);
  for (const { step: undo, column, row } of undone) {
    const done = places.find((place) => place.step.direction === "do" && place.step.name === undo.name);
    expect(done).toMatchObject({ column, row: row - 1 });
  }
  const way = (kind: string) =>
    lines.filter((line) => line.kind === kind).map(({ from, to, isTaken }) => [from.column, to.column, isTaken]);
  expect(way("turn")).toEqual([[3, 2, true]]);
  expect(way("back")).toEqual([
    [2, 1, true],
    [1, 0, false],
  ]);
  expect(way("join")).toEqual([
    [2, 2, true],
    [1, 1, true],
    [0, 0, false],
  ]);
  expect(way("forward").map(([, , isTaken]) => isTaken)).toEqual([true, true, true, false, false]);
});

it("draws no turn if the step without a response is the first to be undone", () => {
  const steps = [
    step("reserve_stock", { state: "done" }),
    step("authorize_payment", { state: "silent" }),
    step("authorize_payment", { direction: "undo", state: "running" }),
    step("reserve_stock", { direction: "undo" }),
  ];
  expect(layOut({ steps }).lines.some(({ kind }) => kind === "turn")).toBe(false);
});

it("can use a single lane for all services, and lays out returns", () => {
  const { lanes, rows } = layOut({ steps: refusedCapture }, true);
  expect([lanes.length, rows]).toEqual([1, 2]);
  const { pivot, rows: ofReturn } = layOut({ steps: returning.map((name) => step(name)) });
  expect([pivot, ofReturn]).toEqual([0, 3]);
});
