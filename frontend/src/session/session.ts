/**
 * Who is signed in. The access token lives in memory only; the refresh token in a cookie that no script can read. One
 * tab renews at a time, because a refresh token that is used twice ends the session, and tells the others.
 */

export interface SignedIn {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly userId: string;
  readonly roles: readonly string[];
}

type Message = { kind: "signed-in"; session: SignedIn } | { kind: "signed-out" };

/** Whether there may be a cookie: spares everybody else a refused request at the start. */
const HINT = "souk.session";
const LOCK = "souk.refresh";
/** A token with less than this left is renewed before it is used. */
const EARLY = 30_000;

class Session {
  #current: SignedIn | undefined;
  #listeners = new Set<() => void>();
  #channel = new BroadcastChannel("souk.session");
  #renewing: Promise<string | undefined> | undefined;

  constructor() {
    this.#channel.addEventListener("message", ({ data }: MessageEvent<Message>) => {
      this.#set(data.kind === "signed-in" ? data.session : undefined);
    });
  }

  /** For `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** For `useSyncExternalStore`. */
  readonly current = (): SignedIn | undefined => this.#current;

  /** Takes up the session that this browser had. */
  async resume(): Promise<void> {
    if (localStorage.getItem(HINT)) await this.renew();
  }

  /** A token that is good for a while; none for a guest. */
  async token(): Promise<string | undefined> {
    const session = this.#current;
    if (!session) return undefined;
    return session.expiresAt - Date.now() > EARLY ? session.token : await this.renew();
  }

  /** A new token by the cookie; none when the session is over. A network that is away ends nothing. */
  renew(): Promise<string | undefined> {
    const before = this.#current?.token;
    this.#renewing ??= navigator.locks
      .request(LOCK, async () => {
        // Another tab did it while this one waited.
        if (this.#current && this.#current.token !== before) return this.#current.token;
        const response = await fetch("/v1/auth/refresh", { method: "POST" });
        if (response.ok) return this.#accept(await response.json()).token;
        if (response.status === 401 || response.status === 403 || response.status === 415) this.#end();
        return undefined;
      })
      .catch(() => undefined)
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  /** Takes what a sign-in answered. */
  begin(answer: { access_token: string; expires_in: number }): void {
    this.#accept(answer);
  }

  /** Ends the session here, in every tab, and at the server. */
  async signOut(): Promise<void> {
    this.#end();
    await navigator.locks.request(LOCK, () => fetch("/v1/auth/logout", { method: "POST" })).catch(() => undefined);
  }

  #accept(answer: { access_token: string; expires_in: number }): SignedIn {
    const session = read(answer.access_token, answer.expires_in);
    localStorage.setItem(HINT, "1");
    this.#set(session);
    this.#tell({ kind: "signed-in", session });
    return session;
  }

  #end(): void {
    localStorage.removeItem(HINT);
    this.#set(undefined);
    this.#tell({ kind: "signed-out" });
  }

  #tell(message: Message): void {
    this.#channel.postMessage(message);
  }

  #set(session: SignedIn | undefined): void {
    this.#current = session;
    for (const listener of this.#listeners) listener();
  }
}

/** What the page needs of a token's claims. The servers verify it; this only reads. */
function read(token: string, expiresIn: number): SignedIn {
  const part = token.split(".")[1] ?? "";
  const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub: string; roles?: string[] };
  return { token, expiresAt: Date.now() + expiresIn * 1000, userId: claims.sub, roles: claims.roles ?? [] };
}

export const session = new Session();
