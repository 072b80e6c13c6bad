import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

/** One browser's tabs, told to each other in their own turn as the real ones are. */
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

/** One after the other, as `navigator.locks` does it. */
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

export function tokenOf(user: string, number = 0): string {
  return `${part({ alg: "EdDSA" })}.${part({ sub: user, roles: ["customer"], jti: number })}.x`;
}

function part(value: object): string {
  return btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
}

/** The accounts' service and the browser's cookie jar: a refresh token is good once, and ends its family the second time. */
export class FakeUsers {
  jar: { user: string; number: number } | undefined;
  isAway = false;
  renewals = 0;
  reuses = 0;
  logouts = 0;
  #used = new Set<number>();
  #count = 0;
  #gate: Promise<void> = Promise.resolve();

  readonly server = setupServer(
    http.post("*/v1/auth/login", async ({ request }) => {
      const { email, password } = (await request.json()) as { email: string; password: string };
      if (password !== "right") {
        return HttpResponse.json({ type: "/problems/unauthorized", title: "Unauthorized" }, { status: 401 });
      }
      return this.#grant(email);
    }),
    http.post("*/v1/auth/refresh", async () => {
      if (this.isAway) return HttpResponse.error();
      const shown = this.jar;
      if (!shown) return HttpResponse.json({}, { status: 415 });
      this.renewals += 1;
      if (this.#used.has(shown.number)) {
        this.reuses += 1;
        this.jar = undefined;
        return HttpResponse.json({}, { status: 401 });
      }
      this.#used.add(shown.number);
      await this.#gate;
      return this.#grant(shown.user);
    }),
    http.post("*/v1/auth/logout", () => {
      if (this.isAway) return HttpResponse.error();
      this.logouts += 1;
      this.jar = undefined;
      return new HttpResponse(null, { status: 204 });
    }),
  );

  /** Holds the answers to renewals back, until what it gives is called. */
  close(): () => void {
    let open: (() => void) | undefined;
    this.#gate = new Promise((resolve) => {
      open = resolve;
    });
    return () => open?.();
  }

  #grant(user: string) {
    this.#count += 1;
    this.jar = { user, number: this.#count };
    return HttpResponse.json({ access_token: tokenOf(user, this.#count), expires_in: 600 });
  }
}
