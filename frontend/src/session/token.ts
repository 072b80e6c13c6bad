export interface SignedIn {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly userId: string;
  readonly roles: readonly string[];
}

/** What the server answers to a sign-in and to a renewal. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
}

/** Who the answer's token is for. */
export function signedIn({ access_token, expires_in }: TokenAnswer): SignedIn {
  const { sub, roles } = claims(access_token);
  return { token: access_token, expiresAt: Date.now() + expires_in * 1000, userId: sub, roles: roles ?? [] };
}

/** What the page needs of a token's claims. The servers verify it; this only reads. */
export function claims(token: string): { sub: string; roles?: string[] } {
  const part = token.split(".")[1] ?? "";
  const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as { sub: string; roles?: string[] };
}
