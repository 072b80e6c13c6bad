/** Where `?next=` leads after signing in: a page of this shop, whatever the address says; else the home page. */
export function localPath(next: string | null): string {
  const { origin } = window.location;
  if (!next?.startsWith("/") || !URL.canParse(next, origin)) return "/";
  const url = new URL(next, origin);
  // A path of two slashes would be another site to whoever resolves it again.
  if (url.origin !== origin || url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search + url.hash;
}
