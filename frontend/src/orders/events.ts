import { createParser, type EventSourceMessage } from "eventsource-parser";

import { Problem, problemOf } from "@/problem";
import { session } from "@/session/session";

import type { Order, OrderSagas } from "./api";

/** The state of the event stream. `reconnecting` retries automatically; `ended` does not. */
export type Connection = "connecting" | "live" | "reconnecting" | "ended";

/** An event of an order. The last event of a transaction also carries the resulting order and saga. */
export interface Change {
  /** The id of the event, which increases over time. */
  readonly id: number;
  readonly type: string;
  readonly at: string;
  readonly data: { readonly step?: string; readonly direction?: string; readonly outcome?: string; readonly saga_id?: string };
  readonly order?: Order | null;
  readonly saga?: OrderSagas | null;
}

interface Listener {
  onSnapshot: (snapshot: { order: Order; saga: OrderSagas }) => void;
  onChange: (change: Change) => void;
  onConnection: (connection: Connection) => void;
}

/** Milliseconds without data after which a connection counts as dead. The server sends a heartbeat every 15 seconds. */
export const IDLE_TIMEOUT = 40_000;
/** The delay before the first retry, in milliseconds. */
const FIRST_DELAY = 1_000;
/** The longest delay between retries, in milliseconds. */
const MAX_DELAY = 15_000;
/** A stream that ends normally after at least this many milliseconds is resumed immediately. */
const STABLE_AFTER = 1_000;

/** Returns the delay in milliseconds after a number of consecutive failures; `random` is between 0 and 1 and adds jitter. */
export function backoff(failures: number, random: number): number {
  return Math.min(MAX_DELAY, FIRST_DELAY * 2 ** Math.max(0, failures - 1) * (0.8 + 0.4 * random));
}

/**
 * Subscribes to the events of an order, starting with the first. It uses `fetch`, because `EventSource` cannot send a bearer
 * token. It reconnects after errors, resumes after the last event received, and detects dead connections. Returns a function
 * that unsubscribes.
 */
export function followOrder(id: string, listener: Listener): () => void {
  const stream = new Stream(`/v1/orders/${encodeURIComponent(id)}/events`, listener);
  void stream.run();
  return () => stream.close();
}

class Stream {
  readonly #url: string;
  readonly #listener: Listener;
  // Starts with the first event, so that the log is complete.
  #lastEventId = "0";
  #isClosed = false;
  #request = new AbortController();
  /** The delay from the `Retry-After` header of the last response, in milliseconds. */
  #retryAfter = 0;
  #wake: () => void = () => undefined;

  constructor(url: string, listener: Listener) {
    this.#url = url;
    this.#listener = listener;
  }

  async run(): Promise<void> {
    const wake = () => {
      if (document.visibilityState === "visible") this.#wake();
    };
    document.addEventListener("visibilitychange", wake);
    window.addEventListener("online", wake);
    this.#report("connecting");
    let failures = 0;
    while (!this.#isClosed) {
      const outcome = await this.#connect();
      if (outcome === "refused") break;
      if (this.#isClosed) break;
      this.#report("reconnecting");
      failures = outcome === "ended" ? 0 : failures + 1;
      if (failures > 0) await this.#pause(Math.max(this.#retryAfter, backoff(failures, Math.random())));
    }
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("online", wake);
    this.#report("ended");
  }

  close(): void {
    this.#isClosed = true;
    this.#request.abort();
    this.#wake();
  }

  /** Opens one connection and reads it until it ends. */
  async #connect(): Promise<"ended" | "failed" | "refused"> {
    this.#request = new AbortController();
    this.#retryAfter = 0;
    let idleTimer = setTimeout(() => this.#request.abort(), IDLE_TIMEOUT);
    try {
      const response = await this.#open();
      if (!response.ok || !response.body) {
        const problem = problemOf(response, undefined);
        // The server may limit the number of streams; meanwhile the page polls the order.
        this.#retryAfter = (problem.retryAfter ?? 0) * 1000;
        return problem.isRetryable ? "failed" : "refused";
      }
      const opened = Date.now();
      this.#report("live");
      const parser = createParser({ onEvent: (event) => this.#receive(event) });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(idleTimer);
        idleTimer = setTimeout(() => this.#request.abort(), IDLE_TIMEOUT);
        parser.feed(value);
      }
      return Date.now() - opened >= STABLE_AFTER ? "ended" : "failed";
    } catch (error) {
      return error instanceof Problem ? "refused" : "failed";
    } finally {
      clearTimeout(idleTimer);
    }
  }

  /** Requests the stream. On 401 it renews the token and retries once. */
  async #open(): Promise<Response> {
    const token = await session.token();
    const response = await this.#fetch(token);
    if (response.status !== 401 || !token) return response;
    return await this.#fetch(await session.renew(token));
  }

  #fetch(token: string | undefined): Promise<Response> {
    return fetch(this.#url, {
      headers: {
        accept: "text/event-stream",
        "last-event-id": this.#lastEventId,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      cache: "no-store",
      signal: this.#request.signal,
    });
  }

  #receive({ event, id, data }: EventSourceMessage): void {
    if (this.#isClosed) return;
    if (event === "snapshot") this.#listener.onSnapshot(JSON.parse(data));
    if (event === "change") this.#listener.onChange({ ...JSON.parse(data), id: Number(id) });
    // Only after the event was processed, so that a failed one is requested again.
    if (id) this.#lastEventId = id;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #report(connection: Connection): void {
    if (!this.#isClosed) this.#listener.onConnection(connection);
  }
}
