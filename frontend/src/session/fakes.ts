import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

/** A BroadcastChannel within one process. Messages are delivered asynchronously, as in a browser. */
export class FakeChannel extends EventTarget {
  static readonly all = new Set<FakeChannel>();
  readonly #name: string;

  constructor(name: string) {
    super();
    this.#name = name;
    FakeChannel.all.add(this);
  }

  postMessage(data: unknown): void {
    for (const other of FakeChannel.all) {
      if (other !== this && other.#name === this.#name) {
        queueMicrotask(() => other.dispatchEvent(new MessageEvent("message", { data })));
      }
    }
  }
}

/** A replacement for `navigator.locks` that runs all work sequentially. */
export function fakeLocks() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request: (_name: string, work: () => Promise<unknown>): Promise<unknown> => {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

/** Creates an unsigned access token for a user; `number` makes it unique. */
export function tokenOf(user: string, number = 0): string {
  return `${part({ alg: "EdDSA" })}.${part({ sub: user, roles: ["customer"], jti: number })}.x`;
}

function part(value: object): string {
  return btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
}

/** The users service together with the browser's cookie jar. Using a refresh token twice revokes its session. */
export class FakeUsers {
  jar: { user: string; number: number } | undefined;
  isUnavailable = false;
  renewals = 0;
  reuses = 0;
  logouts = 0;
  #used = new Set<number>();
  #count = 0;
  #pending: Promise<void> = Promise.resolve();

  readonly server = setupServer(
    http.post("*/v1/auth/login", async ({ request }) => {
      const { email, password } = (await request.json()) as { email: string; password: string };
      if (password !== "right") {
        return HttpResponse.json({ type: "/problems/unauthorized", title: "Unauthorized" }, { status: 401 });
      }
      return this.#grant(email);
    }),
    http.post("*/v1/auth/refresh", async () => {
      if (this.isUnavailable) return HttpResponse.error();
      const cookie = this.jar;
      if (!cookie) return HttpResponse.json({}, { status: 415 });
      this.renewals += 1;
      if (this.#used.has(cookie.number)) {
        this.reuses += 1;
        this.jar = undefined;
        return HttpResponse.json({}, { status: 401 });
      }
      this.#used.add(cookie.number);
      await this.#pending;
      return this.#grant(cookie.user);
    }),
    http.post("*/v1/auth/logout", () => {
      if (this.isUnavailable) return HttpResponse.error();
      this.logouts += 1;
      this.jar = undefined;
      return new HttpResponse(null, { status: 204 });
    }),
  );

  /** Delays all refresh responses until the returned function is called. */
  holdRefresh(): () => void {
    let release: (() => void) | undefined;
    this.#pending = new Promise((resolve) => {
      release = resolve;
    });
    return () => release?.();
  }

  #grant(user: string) {
    this.#count += 1;
    this.jar = { user, number: this.#count };
    return HttpResponse.json({ access_token: tokenOf(user, this.#count), expires_in: 600 });
  }
}
