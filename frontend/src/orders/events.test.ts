import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { backoff, type Change, type Connection, followOrder, SILENCE } from "./events";

const session = vi.hoisted(() => ({ token: vi.fn<() => Promise<string>>(), renew: vi.fn<(refused: string) => Promise<string>>() }));
vi.mock("@/session/session", () => ({ session }));

/** One request for the stream, and the line to whoever made it. */
class Line {
  readonly request: { url: string; headers: Record<string, string> };
  readonly #lines: ReadableStreamDefaultController<Uint8Array>[] = [];
  #answer!: (response: Response) => void;
  #fail!: (cause: Error) => void;
  readonly response: Promise<Response>;
  isCut = false;

  constructor(url: string, init: RequestInit) {
    this.request = { url, headers: init.headers as Record<string, string> };
    this.response = new Promise((answer, fail) => {
      this.#answer = answer;
      this.#fail = fail;
    });
    init.signal?.addEventListener("abort", () => {
      this.isCut = true;
      const cause = new DOMException("aborted", "AbortError");
      this.#fail(cause);
      for (const line of this.#lines) line.error(cause);
    });
  }

  open(): void {
    const body = new ReadableStream<Uint8Array>({ start: (line) => void this.#lines.push(line) });
    this.#answer(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  }
  refuse(status: number, headers = {}): void {
    this.#answer(new Response("{}", { status, headers }));
  }
  break(): void {
    this.#fail(new TypeError("failed to fetch"));
  }
  send(text: string): void {
    for (const line of this.#lines) line.enqueue(new TextEncoder().encode(text));
  }
  end(): void {
    for (const line of this.#lines) line.close();
  }
}

let lines: Line[];
let told: { snapshots: unknown[]; changes: Change[]; connections: Connection[] };
let stop: () => void;

const settle = () => vi.advanceTimersByTimeAsync(0);
const last = () => lines.at(-1)!;
const change = (id: number, data = "{}") => `event: change\nid: ${id}\ndata: {"type":"t${id}","at":"2026-11-24T14:00:00Z","data":${data}}\n\n`;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  session.token.mockResolvedValue("old");
  session.renew.mockResolvedValue("new");
  lines = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const line = new Line(url, init);
    lines.push(line);
    return line.response;
  });
  told = { snapshots: [], changes: [], connections: [] };
  stop = followOrder("o/1", {
    onSnapshot: (snapshot) => told.snapshots.push(snapshot),
    onChange: (happened) => told.changes.push(happened),
    onConnection: (connection) => told.connections.push(connection),
  });
  await settle();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the stream", () => {
  it("asks with the token for everything that happened", () => {
    expect(last().request.url).toBe("/v1/orders/o%2F1/events");
    expect(last().request.headers).toMatchObject({ authorization: "Bearer old", "last-event-id": "0", accept: "text/event-stream" });
    expect(told.connections).toEqual(["connecting"]);
  });

  it("tells of snapshots and changes, wherever the bytes are cut", async () => {
    last().open();
    const text = `retry: 1000\n: hello\n\nevent: snapshot\nid: 4\ndata: {"order":{"id":"ö"}}\n\n${change(5, '{"step":"pin_stock"}')}`;
    for (const character of text) last().send(character);
    await settle();
    expect(told.connections).toEqual(["connecting", "live"]);
    expect(told.snapshots).toEqual([{ order: { id: "ö" } }]);
    expect(told.changes).toEqual([{ id: 5, type: "t5", at: "2026-11-24T14:00:00Z", data: { step: "pin_stock" } }]);
  });

  it("resumes at once after the last event when the server ends it well", async () => {
    last().open();
    last().send(change(7) + change(9));
    await vi.advanceTimersByTimeAsync(5_000);
    last().end();
    await settle();
    expect(lines).toHaveLength(2);
    expect(last().request.headers["last-event-id"]).toBe("9");
    last().open();
    await settle();
    expect(told.connections).toEqual(["connecting", "live", "reconnecting", "live"]);
  });

  it("does not hammer a server that ends every stream at once", async () => {
    last().open();
    await settle();
    last().end();
    await vi.advanceTimersByTimeAsync(999);
    expect(lines).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(lines).toHaveLength(2);
  });

  it("waits longer after each failure, up to fifteen seconds, and starts anew after a success", async () => {
    for (const wait of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const before = lines.length;
      if (before % 2 === 0) last().refuse(503);
      else last().break();
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(lines).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(lines).toHaveLength(before + 1);
    }
    last().open();
    await vi.advanceTimersByTimeAsync(2_000);
    last().end();
    await settle();
    last().break();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(9);
  });

  it.each([
    ["online", () => window.dispatchEvent(new Event("online"))],
    ["visible", () => document.dispatchEvent(new Event("visibilitychange"))],
  ])("does not wait any longer once the browser is %s", async (_what, wake) => {
    last().break();
    await settle();
    expect(lines).toHaveLength(1);
    wake();
    await settle();
    expect(lines).toHaveLength(2);
  });

  it("takes a line that is silent for dead, but not one with signs of life", async () => {
    last().open();
    for (let count = 0; count < 4; count += 1) {
      await vi.advanceTimersByTimeAsync(SILENCE - 1);
      last().send(":\n\n");
    }
    await settle();
    expect(last().isCut).toBe(false);
    await vi.advanceTimersByTimeAsync(SILENCE);
    expect(lines[0]!.isCut).toBe(true);
    expect(told.connections.at(-1)).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(lines).toHaveLength(2);
  });

  it("waits as long as the server asks for", async () => {
    last().refuse(429, { "retry-after": "10" });
    await vi.advanceTimersByTimeAsync(9_900);
    expect(lines).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(lines).toHaveLength(2);
    expect(told.connections).toEqual(["connecting", "reconnecting"]);
  });

  it("renews the token once, and gives up when that is refused, too", async () => {
    last().refuse(401);
    await settle();
    expect(session.renew).toHaveBeenCalledWith("old");
    expect(last().request.headers["authorization"]).toBe("Bearer new");
    last().refuse(401);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(2);
    expect(told.connections.at(-1)).toBe("ended");
  });

  it("ends for good where there is no such order", async () => {
    last().refuse(404);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(1);
    expect(told.connections).toEqual(["connecting", "ended"]);
  });

  it("is silent once it is stopped", async () => {
    last().open();
    await settle();
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines[0]!.isCut).toBe(true);
    expect(lines).toHaveLength(1);
    expect(told.connections).toEqual(["connecting", "live"]);
  });
});

it("spreads those who come back together", () => {
  expect(backoff(1, 0)).toBeCloseTo(800);
  expect(backoff(1, 1)).toBeCloseTo(1200);
  expect(backoff(30, 1)).toBe(15_000);
});
