import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { backoff, type Change, type Connection, followOrder, IDLE_TIMEOUT } from "./events";

const session = vi.hoisted(() => ({ token: vi.fn<() => Promise<string>>(), renew: vi.fn<(refused: string) => Promise<string>>() }));
vi.mock("@/session/session", () => ({ session }));

/** A request for the stream, with control over its response. */
class FakeConnection {
  readonly request: { url: string; headers: Record<string, string> };
  readonly #streams: ReadableStreamDefaultController<Uint8Array>[] = [];
  #respond!: (response: Response) => void;
  #fail!: (cause: Error) => void;
  readonly response: Promise<Response>;
  isAborted = false;

  constructor(url: string, init: RequestInit) {
    this.request = { url, headers: init.headers as Record<string, string> };
    this.response = new Promise((respond, fail) => {
      this.#respond = respond;
      this.#fail = fail;
    });
    init.signal?.addEventListener("abort", () => {
      this.isAborted = true;
      const cause = new DOMException("aborted", "AbortError");
      this.#fail(cause);
      for (const stream of this.#streams) stream.error(cause);
    });
  }

  open(): void {
    const body = new ReadableStream<Uint8Array>({ start: (stream) => void this.#streams.push(stream) });
    this.#respond(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  }
  refuse(status: number, headers = {}): void {
    this.#respond(new Response("{}", { status, headers }));
  }
  break(): void {
    this.#fail(new TypeError("failed to fetch"));
  }
  send(text: string): void {
    for (const stream of this.#streams) stream.enqueue(new TextEncoder().encode(text));
  }
  end(): void {
    for (const stream of this.#streams) stream.close();
  }
}

let connections: FakeConnection[];
let received: { snapshots: unknown[]; changes: Change[]; connections: Connection[] };
let stop: () => void;

const settle = () => vi.advanceTimersByTimeAsync(0);
const last = () => connections.at(-1)!;
const change = (id: number, data = "{}") => `event: change\nid: ${id}\ndata: {"type":"t${id}","at":"2026-11-24T14:00:00Z","data":${data}}\n\n`;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  session.token.mockResolvedValue("old");
  session.renew.mockResolvedValue("new");
  connections = [];
  vi.stubGlobal("fetch", (url: string, init: RequestInit) => {
    const connection = new FakeConnection(url, init);
    connections.push(connection);
    return connection.response;
  });
  received = { snapshots: [], changes: [], connections: [] };
  stop = followOrder("o/1", {
    onSnapshot: (snapshot) => received.snapshots.push(snapshot),
    onChange: (event) => received.changes.push(event),
    onConnection: (state) => received.connections.push(state),
  });
  await settle();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the stream", () => {
  it("requests all events with the bearer token", () => {
    expect(last().request.url).toBe("/v1/orders/o%2F1/events");
    expect(last().request.headers).toMatchObject({ authorization: "Bearer old", "last-event-id": "0", accept: "text/event-stream" });
    expect(received.connections).toEqual(["connecting"]);
  });

  it("parses snapshots and changes, however the bytes are split", async () => {
    last().open();
    const text = `retry: 1000\n: hello\n\nevent: snapshot\nid: 4\ndata: {"order":{"id":"ö"}}\n\n${change(5, '{"step":"pin_stock"}')}`;
    for (const character of text) last().send(character);
    await settle();
    expect(received.connections).toEqual(["connecting", "live"]);
    expect(received.snapshots).toEqual([{ order: { id: "ö" } }]);
    expect(received.changes).toEqual([{ id: 5, type: "t5", at: "2026-11-24T14:00:00Z", data: { step: "pin_stock" } }]);
  });

  it("resumes immediately after the last event when the server ends the stream normally", async () => {
    last().open();
    last().send(change(7) + change(9));
    await vi.advanceTimersByTimeAsync(5_000);
    last().end();
    await settle();
    expect(connections).toHaveLength(2);
    expect(last().request.headers["last-event-id"]).toBe("9");
    last().open();
    await settle();
    expect(received.connections).toEqual(["connecting", "live", "reconnecting", "live"]);
  });

  it("waits before it reconnects to a server that ends every stream immediately", async () => {
    last().open();
    await settle();
    last().end();
    await vi.advanceTimersByTimeAsync(999);
    expect(connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(connections).toHaveLength(2);
  });

  it("waits longer after each failure, up to fifteen seconds, and resets after a success", async () => {
    for (const wait of [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      const before = connections.length;
      if (before % 2 === 0) last().refuse(503);
      else last().break();
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(connections).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(connections).toHaveLength(before + 1);
    }
    last().open();
    await vi.advanceTimersByTimeAsync(2_000);
    last().end();
    await settle();
    last().break();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections).toHaveLength(9);
  });

  it.each([
    ["online", () => window.dispatchEvent(new Event("online"))],
    ["visible", () => document.dispatchEvent(new Event("visibilitychange"))],
  ])("reconnects immediately when the browser becomes %s", async (_what, wake) => {
    last().break();
    await settle();
    expect(connections).toHaveLength(1);
    wake();
    await settle();
    expect(connections).toHaveLength(2);
  });

  it("aborts a connection without heartbeats, but not one with heartbeats", async () => {
    last().open();
    for (let count = 0; count < 4; count += 1) {
      await vi.advanceTimersByTimeAsync(IDLE_TIMEOUT - 1);
      last().send(":\n\n");
    }
    await settle();
    expect(last().isAborted).toBe(false);
    await vi.advanceTimersByTimeAsync(IDLE_TIMEOUT);
    expect(connections[0]!.isAborted).toBe(true);
    expect(received.connections.at(-1)).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(1_000);
    expect(connections).toHaveLength(2);
  });

  it("waits for the Retry-After time", async () => {
    last().refuse(429, { "retry-after": "10" });
    await vi.advanceTimersByTimeAsync(9_900);
    expect(connections).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(connections).toHaveLength(2);
    expect(received.connections).toEqual(["connecting", "reconnecting"]);
  });

  it("renews the token once, and ends if the new one is rejected as well", async () => {
    last().refuse(401);
    await settle();
    expect(session.renew).toHaveBeenCalledWith("old");
    expect(last().request.headers["authorization"]).toBe("Bearer new");
    last().refuse(401);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections).toHaveLength(2);
    expect(received.connections.at(-1)).toBe("ended");
  });

  it("ends if the order does not exist", async () => {
    last().refuse(404);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections).toHaveLength(1);
    expect(received.connections).toEqual(["connecting", "ended"]);
  });

  it("reports nothing after it is stopped", async () => {
    last().open();
    await settle();
    stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(connections[0]!.isAborted).toBe(true);
    expect(connections).toHaveLength(1);
    expect(received.connections).toEqual(["connecting", "live"]);
  });
});

it("adds jitter to the delay", () => {
  expect(backoff(1, 0)).toBeCloseTo(800);
  expect(backoff(1, 1)).toBeCloseTo(1200);
  expect(backoff(30, 1)).toBe(15_000);
});
