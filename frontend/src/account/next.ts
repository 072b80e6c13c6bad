/** Returns the path in `next` if it is a page of this site, or else `/`. Prevents open redirects after signing in. */
export function localPath(next: string | null): string {
  const { origin } = window.location;
  if (!next?.startsWith("/") || !URL.canParse(next, origin)) return "/";
  const url = new URL(next, origin);
  // A path that starts with two slashes would be resolved as another host.
  if (url.origin !== origin || url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search + url.hash;
}
