import { problemOf, unreachable } from "@/api/problem";

import { exclusively, keep, openChannel, recall } from "./browser";
import { claims, type SignedIn, signedIn, type TokenAnswer } from "./token";

export type { SignedIn } from "./token";

declare global {
  interface Window {
    soukRefresh?: Promise<Response> | undefined;
  }
}

interface Answer {
  readonly response: Response;
  readonly body: unknown;
}

type Message = { kind: "signed-in"; session: SignedIn } | { kind: "signed-out" };

/**
 * Whether there may be a cookie, and whose: spares everybody else a refused request at the start, and lets the first page
 * begin before the server has answered. It grants nothing. `public/boot.js` reads it too.
 */
const HINT = "souk.session";
const THERE = "1";
/** The server is not told yet that it is over. */
const LEAVING = "leaving";
const LOCK = "souk.refresh";
/** A token with less than this left is renewed before it is used. */
const EARLY = 30_000;
/** How long the first page waits to know who is here. */
const PATIENCE = 2000;
const RETRY_FIRST = 2000;
const RETRY_LAST = 60_000;
const NO_ROLES: readonly string[] = [];

/**
 * Who is signed in. The access token lives in memory only; the refresh token in a cookie that no script can read. One
 * tab renews at a time, because a refresh token that is used twice ends the session, and tells the others. For the same
 * reason a renewal is never given up once it is sent: its answer carries the next cookie.
 */
export class Session {
  #current: SignedIn | undefined;
  #listeners = new Set<() => void>();
  #renewing: Promise<SignedIn | undefined> | undefined;
  /** Until it is known whether somebody is here. */
  #arrival: Promise<unknown> | undefined;
  #expected: readonly string[] = NO_ROLES;
  /** Counts sign-outs: what was on its way before one is not taken after it. */
  #endings = 0;
  readonly #tell = openChannel<Message>("souk.session", (message) => {
    if (message.kind === "signed-in") this.#set(message.session);
    else this.#leave();
  });

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** For `useSyncExternalStore`. */
  readonly current = (): SignedIn | undefined => this.#current;

  /** Whether it is still being found out who is here. For `useSyncExternalStore`. */
  readonly isArriving = (): boolean => this.#arrival !== undefined && !this.#current;

  /** What the one who is here may do; until that is known, what the one before could. For `useSyncExternalStore`. */
  readonly roles = (): readonly string[] => this.#current?.roles ?? (this.isArriving() ? this.#expected : NO_ROLES);

  /** Takes up the session that this browser had. While the server is away the page goes on without, and tries again. */
  async resume(): Promise<void> {
    const hint = recall(HINT);
    if (hint === null) return;
    if (hint === LEAVING) {
      void this.#logOut();
      return;
    }
    this.#expected = hint?.split(" ") ?? NO_ROLES;
    const renewal = this.#renewOnce(early()).catch(() => this.#resumeLater(RETRY_FIRST));
    this.#arrival = Promise.race([renewal, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    await this.#arrival;
    this.#arrival = undefined;
    this.#set(this.#current);
  }

  /** A token for the next request; none for a guest. An old one where the server cannot renew it just now. */
  async token(): Promise<string | undefined> {
    if (!this.#current) await this.#arrival;
    const session = this.#current;
    if (!session || session.expiresAt - Date.now() > EARLY) return session?.token;
    try {
      return await this.renew(session.token);
    } catch {
      return session.token;
    }
  }

  /**
   * A new token for the user of the one that was refused; none when that session is over or another user is here now, for
   * whom the request was not meant. Throws when the server cannot be asked, which ends nothing.
   */
  async renew(refused: string): Promise<string | undefined> {
    const known = this.#current;
    const next = known && known.token !== refused ? known : await this.#renewOnce();
    return next?.userId === claims(refused).sub ? next.token : undefined;
  }

  /** Signs in, in every tab. Throws the problem where it is refused. */
  async signIn({ email, password }: { email: string; password: string }): Promise<void> {
    await exclusively(LOCK, async () => {
      const { response, body } = await post("/v1/auth/login", { email, password, session: "cookie" });
      if (!response.ok) throw problemOf(response, body);
      this.#accept(body as TokenAnswer);
    });
  }

  /** Ends the session here, in every tab, and at the server: as soon as it can be reached. */
  async signOut(): Promise<void> {
    this.end();
    keep(HINT, LEAVING);
    await this.#logOut();
  }

  /** Forgets the session in every tab; the server ended it already. */
  end(): void {
    keep(HINT, null);
    this.#leave();
    this.#tell({ kind: "signed-out" });
  }

  async #renewOnce(sent?: Promise<Response>): Promise<SignedIn | undefined> {
    this.#renewing ??= this.#renewInTurn(sent).finally(() => {
      this.#renewing = undefined;
    });
    return await this.#renewing;
  }

  async #renewInTurn(sent: Promise<Response> | undefined): Promise<SignedIn | undefined> {
    const before = this.#current;
    const endings = this.#endings;
    return await exclusively(LOCK, async () => {
      // Another tab did it, or signed out, while this one waited.
      if (this.#current !== before || this.#endings !== endings) return this.#current;
      const { response, body } = await (sent ? read(sent) : post("/v1/auth/refresh"));
      if (this.#endings !== endings) return this.#current;
      if (response.ok) return this.#accept(body as TokenAnswer);
      // 415: there is no cookie. Everything else may pass.
      if (![401, 403, 415].includes(response.status)) throw problemOf(response, body);
      this.end();
      return undefined;
    });
  }

  #resumeLater(delay: number): void {
    setTimeout(() => {
      if (this.#current || !isThere()) return;
      this.#renewOnce().catch(() => this.#resumeLater(Math.min(delay * 2, RETRY_LAST)));
    }, delay);
  }

  async #logOut(): Promise<void> {
    await exclusively(LOCK, async () => {
      // Somebody signed in meanwhile, and the cookie is theirs.
      if (isThere()) return;
      const { response } = await post("/v1/auth/logout");
      if (response.status < 429) keep(HINT, null);
    }).catch(() => undefined);
  }

  #accept(answer: TokenAnswer): SignedIn {
    const session = signedIn(answer);
    keep(HINT, [THERE, ...session.roles].join(" "));
    this.#set(session);
    this.#tell({ kind: "signed-in", session });
    return session;
  }

  #leave(): void {
    this.#endings += 1;
    this.#set(undefined);
  }

  #set(session: SignedIn | undefined): void {
    this.#current = session;
    for (const listener of this.#listeners) listener();
  }
}

/** Asks the server past the API's client, which waits for this module. */
async function post(path: string, body?: object): Promise<Answer> {
  return await read(
    fetch(path, {
      method: "POST",
      // The answer's cookie counts even when the page is left before it comes.
      keepalive: true,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    }),
  );
}

async function read(sent: Promise<Response>): Promise<Answer> {
  let response: Response;
  try {
    response = await sent;
  } catch (cause) {
    throw unreachable(cause);
  }
  return { response, body: await response.json().catch(() => undefined) };
}

/** The renewal that `public/boot.js` has sent, if it has. */
function early(): Promise<Response> | undefined {
  const sent = window.soukRefresh;
  delete window.soukRefresh;
  return sent;
}

function isThere(): boolean {
  return recall(HINT)?.startsWith(THERE) ?? false;
}

export const session = new Session();
