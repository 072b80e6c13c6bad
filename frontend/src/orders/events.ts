import { createParser, type EventSourceMessage } from "eventsource-parser";

import { Problem, problemOf } from "@/api/problem";
import { session } from "@/session/session";

import type { Order, OrderSagas } from "./api";

/** `reconnecting`: the stream is away, and comes back by itself. `ended`: it does not. */
export type Connection = "connecting" | "live" | "reconnecting" | "ended";

/** Something that happened to an order; the last of those that happened together has how things are then. */
export interface Change {
  /** The number of its row in the log. */
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

/** The server sends a sign of life every 15 seconds. */
export const SILENCE = 40_000;
const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 15_000;
/** A stream that lasted this long and then ended well is taken up again at once. */
const LASTED = 1_000;

/** How long to wait after so many failures in a row, given a random number from 0 to 1. */
export function backoff(failures: number, random: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, failures - 1) * (0.8 + 0.4 * random));
}

/**
 * Follows an order from its first event on. `EventSource` cannot send a bearer token, so this is its work done over
 * `fetch`: it resumes after the last event it saw, comes back after every break, and notices a line that went dead.
 * Returns how to stop.
 */
export function followOrder(id: string, listener: Listener): () => void {
  const stream = new Stream(`/v1/orders/${encodeURIComponent(id)}/events`, listener);
  void stream.run();
  return () => stream.close();
}

class Stream {
  readonly #url: string;
  readonly #listener: Listener;
  // Everything that happened, so that the log has no beginning that is missing.
  #last = "0";
  #isClosed = false;
  #request = new AbortController();
  /** How long the server asked to be left alone. */
  #respite = 0;
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
    this.#tell("connecting");
    let failures = 0;
    while (!this.#isClosed) {
      const outcome = await this.#once();
      if (outcome === "refused") break;
      if (this.#isClosed) break;
      this.#tell("reconnecting");
      failures = outcome === "ended" ? 0 : failures + 1;
      if (failures > 0) await this.#pause(Math.max(this.#respite, backoff(failures, Math.random())));
    }
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("online", wake);
    this.#tell("ended");
  }

  close(): void {
    this.#isClosed = true;
    this.#request.abort();
    this.#wake();
  }

  /** One connection, to its end. */
  async #once(): Promise<"ended" | "failed" | "refused"> {
    this.#request = new AbortController();
    this.#respite = 0;
    let watchdog = setTimeout(() => this.#request.abort(), SILENCE);
    try {
      const response = await this.#open();
      if (!response.ok || !response.body) {
        const problem = problemOf(response, undefined);
        // There are enough streams for now; meanwhile the order is asked for.
        this.#respite = (problem.retryAfter ?? 0) * 1000;
        return problem.mayPass ? "failed" : "refused";
      }
      const opened = Date.now();
      this.#tell("live");
      const parser = createParser({ onEvent: (event) => this.#hear(event) });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => this.#request.abort(), SILENCE);
        parser.feed(value);
      }
      return Date.now() - opened >= LASTED ? "ended" : "failed";
    } catch (error) {
      return error instanceof Problem ? "refused" : "failed";
    } finally {
      clearTimeout(watchdog);
    }
  }

  /** Asks for the stream, and once more with a fresh token where this one was not good any more. */
  async #open(): Promise<Response> {
    const token = await session.token();
    const response = await this.#ask(token);
    if (response.status !== 401 || !token) return response;
    return await this.#ask(await session.renew(token));
  }

  #ask(token: string | undefined): Promise<Response> {
    return fetch(this.#url, {
      headers: {
        accept: "text/event-stream",
        "last-event-id": this.#last,
        ...(token && { authorization: `Bearer ${token}` }),
      },
      cache: "no-store",
      signal: this.#request.signal,
    });
  }

  #hear({ event, id, data }: EventSourceMessage): void {
    if (this.#isClosed) return;
    if (event === "snapshot") this.#listener.onSnapshot(JSON.parse(data));
    if (event === "change") this.#listener.onChange({ ...JSON.parse(data), id: Number(id) });
    // Only what was understood is not asked for again.
    if (id) this.#last = id;
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

  #tell(connection: Connection): void {
    if (!this.#isClosed) this.#listener.onConnection(connection);
  }
}
