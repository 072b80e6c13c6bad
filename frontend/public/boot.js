// What cannot wait for the application, which is larger: it begins beside it.
const kept = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    // Storage is closed to us.
    return null;
  }
};
const renew = () => fetch("/v1/auth/refresh", { method: "POST", keepalive: true });

// Before the first paint, so that a chosen theme does not flash: see src/layout/theme.ts.
const theme = kept("souk.theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

// Who was signed in here asks for a token at once: src/session/session.ts takes the answer, and uses the same lock.
if (kept("souk.session")?.startsWith("1")) {
  window.soukRefresh = navigator.locks ? navigator.locks.request("souk.refresh", renew) : renew();
  // The application looks at it later.
  window.soukRefresh.catch(() => undefined);
}

// The code of the page that was asked for: scripts/preload.ts writes which that is.
const { files, pages } = JSON.parse(document.getElementById("preload")?.textContent ?? '{"files":[],"pages":[]}');
const page = pages.find(({ path }) => new RegExp(path).test(location.pathname));
for (const file of page?.files ?? []) {
  document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: `/${files[file]}` }));
}
