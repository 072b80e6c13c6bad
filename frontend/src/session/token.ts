/** A signed-in user with the current access token. */
export interface SignedIn {
  readonly token: string;
  /** Expiry of the token, in milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  readonly userId: string;
  readonly roles: readonly string[];
}

/** The response to a sign-in or a token refresh. */
export interface TokenResponse {
  readonly access_token: string;
  readonly expires_in: number;
}

/** Reads the user from a token response. */
export function signedIn({ access_token, expires_in }: TokenResponse): SignedIn {
  const { sub, roles } = claims(access_token);
  return { token: access_token, expiresAt: Date.now() + expires_in * 1000, userId: sub, roles: roles ?? [] };
}

/** Decodes a token's claims without verifying the signature; only the servers verify tokens. */
export function claims(token: string): { sub: string; roles?: string[] } {
  const part = token.split(".")[1] ?? "";
  const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as { sub: string; roles?: string[] };
}
