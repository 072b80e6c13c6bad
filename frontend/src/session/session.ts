import { openChannel, readStored, withLock, writeStored } from "@/browser";
import { problemOf, unreachable } from "@/problem";

import { claims, type SignedIn, signedIn, type TokenResponse } from "./token";

export type { SignedIn } from "./token";

interface ApiResponse {
  readonly response: Response;
  readonly body: unknown;
}

type Message = { kind: "signed-in"; session: SignedIn } | { kind: "signed-out" };

/**
 * Local storage key for whether a refresh cookie may exist, and with which roles. It saves guests a failing request, and
 * lets the first page render before the server has responded. It grants no access. `public/boot.js` reads it too.
 */
const HINT = "souk.session";
const HAS_COOKIE = "1";
/** The user has signed out, but the server has not confirmed it yet. */
const SIGNING_OUT = "leaving";
const LOCK = "souk.refresh";
/** A token that expires within this time, in milliseconds, is renewed before it is used. */
const RENEW_BEFORE_EXPIRY = 30_000;
/** How long requests wait at most for the session to be resumed, in milliseconds. */
const RESUME_TIMEOUT = 2000;
const RETRY_FIRST = 2000;
const RETRY_LAST = 60_000;
const NO_ROLES: readonly string[] = [];

/**
 * The user's session. The access token is kept in memory only, and the refresh token in a cookie that scripts cannot read.
 * Using a refresh token twice revokes the session. Therefore only one tab renews at a time and broadcasts the new token,
 * and a renewal is never aborted once it is sent, because its response carries the next cookie.
 */
export class Session {
  #current: SignedIn | undefined;
  #listeners = new Set<() => void>();
  #renewing: Promise<SignedIn | undefined> | undefined;
  /** Pending while the session is being resumed. */
  #resuming: Promise<unknown> | undefined;
  /** The roles of the previous visit, assumed while the session is being resumed. */
  #expectedRoles: readonly string[] = NO_ROLES;
  /** Counts sign-outs, so that a response to an older renewal is ignored. */
  #signOuts = 0;
  readonly #broadcast = openChannel<Message>("souk.session", (message) => {
    if (message.kind === "signed-in") this.#set(message.session);
    else this.#clear();
  });

  /** Registers a listener for changes and returns how to unregister it. For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Returns the signed-in user, or `undefined` for a guest. For `useSyncExternalStore`. */
  readonly current = (): SignedIn | undefined => this.#current;

  /** Whether the session of an earlier visit is still being resumed. For `useSyncExternalStore`. */
  readonly isResuming = (): boolean => this.#resuming !== undefined && !this.#current;

  /** Returns the user's roles; those of the previous visit while the session is being resumed. For `useSyncExternalStore`. */
  readonly roles = (): readonly string[] => this.#current?.roles ?? (this.isResuming() ? this.#expectedRoles : NO_ROLES);

  /** Resumes the session of an earlier visit. If the server is unavailable, the page continues as a guest and retries later. */
  async resume(): Promise<void> {
    const hint = readStored(HINT);
    if (hint === null) return;
    if (hint === SIGNING_OUT) {
      void this.#logOut();
      return;
    }
    this.#expectedRoles = hint?.split(" ") ?? NO_ROLES;
    const renewal = this.#renewOnce(takeBootRequest()).catch(() => this.#resumeLater(RETRY_FIRST));
    this.#resuming = Promise.race([renewal, new Promise((resolve) => setTimeout(resolve, RESUME_TIMEOUT))]);
    await this.#resuming;
    this.#resuming = undefined;
    this.#set(this.#current);
  }

  /** Returns a token for the next request, or `undefined` for a guest. If renewal fails, it returns the old token. */
  async token(): Promise<string | undefined> {
    if (!this.#current) await this.#resuming;
    const session = this.#current;
    if (!session || session.expiresAt - Date.now() > RENEW_BEFORE_EXPIRY) return session?.token;
    try {
      return await this.renew(session.token);
    } catch {
      return session.token;
    }
  }

  /**
   * Returns a new token for the user of the `refused` one. Returns `undefined` if the session has ended, or if another user
   * is signed in now, because the request was not theirs. Throws if the server is unavailable; the session then continues.
   */
  async renew(refused: string): Promise<string | undefined> {
    const known = this.#current;
    const next = known && known.token !== refused ? known : await this.#renewOnce();
    return next?.userId === claims(refused).sub ? next.token : undefined;
  }

  /** Signs in, in every tab. Throws a `Problem` if the server refuses. */
  async signIn({ email, password }: { email: string; password: string }): Promise<void> {
    await withLock(LOCK, async () => {
      const { response, body } = await post("/v1/auth/login", { email, password, session: "cookie" });
      if (!response.ok) throw problemOf(response, body);
      this.#accept(body as TokenResponse);
    });
  }

  /** Signs out in every tab and on the server. If the server is unavailable, the next visit repeats the request. */
  async signOut(): Promise<void> {
    this.end();
    writeStored(HINT, SIGNING_OUT);
    await this.#logOut();
  }

  /** Clears the session in every tab, after the server has ended it. */
  end(): void {
    writeStored(HINT, null);
    this.#clear();
    this.#broadcast({ kind: "signed-out" });
  }

  async #renewOnce(sent?: Promise<Response>): Promise<SignedIn | undefined> {
    this.#renewing ??= this.#renewWithLock(sent).finally(() => {
      this.#renewing = undefined;
    });
    return await this.#renewing;
  }

  async #renewWithLock(sent: Promise<Response> | undefined): Promise<SignedIn | undefined> {
    const before = this.#current;
    const signOuts = this.#signOuts;
    return await withLock(LOCK, async () => {
      // Another tab renewed the token or signed out while this one waited for the lock.
      if (this.#current !== before || this.#signOuts !== signOuts) return this.#current;
      const { response, body } = await (sent ? read(sent) : post("/v1/auth/refresh"));
      if (this.#signOuts !== signOuts) return this.#current;
      if (response.ok) return this.#accept(body as TokenResponse);
      // 415 means that there is no cookie. Other errors may be temporary.
      if (![401, 403, 415].includes(response.status)) throw problemOf(response, body);
      this.end();
      return undefined;
    });
  }

  #resumeLater(delay: number): void {
    setTimeout(() => {
      if (this.#current || !mayHaveCookie()) return;
      this.#renewOnce().catch(() => this.#resumeLater(Math.min(delay * 2, RETRY_LAST)));
    }, delay);
  }

  async #logOut(): Promise<void> {
    await withLock(LOCK, async () => {
      // A user has signed in meanwhile, and the cookie is theirs.
      if (mayHaveCookie()) return;
      const { response } = await post("/v1/auth/logout");
      if (response.status < 429) writeStored(HINT, null);
    }).catch(() => undefined);
  }

  #accept(response: TokenResponse): SignedIn {
    const session = signedIn(response);
    writeStored(HINT, [HAS_COOKIE, ...session.roles].join(" "));
    this.#set(session);
    this.#broadcast({ kind: "signed-in", session });
    return session;
  }

  #clear(): void {
    this.#signOuts += 1;
    this.#set(undefined);
  }

  #set(session: SignedIn | undefined): void {
    this.#current = session;
    for (const listener of this.#listeners) listener();
  }
}

/** Sends a request without the API client, because that client waits for the session. */
async function post(path: string, body?: object): Promise<ApiResponse> {
  return await read(
    fetch(path, {
      method: "POST",
      // The response's cookie must be stored even if the user leaves the page first.
      keepalive: true,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    }),
  );
}

async function read(sent: Promise<Response>): Promise<ApiResponse> {
  let response: Response;
  try {
    response = await sent;
  } catch (cause) {
    throw unreachable(cause);
  }
  return { response, body: await response.json().catch(() => undefined) };
}

/** Returns the renewal request that `public/boot.js` has sent, if any, and clears it. */
function takeBootRequest(): Promise<Response> | undefined {
  const sent = window.soukRefresh;
  delete window.soukRefresh;
  return sent;
}

function mayHaveCookie(): boolean {
  return readStored(HINT)?.startsWith(HAS_COOKIE) ?? false;
}

/** The session of this tab. */
export const session = new Session();
