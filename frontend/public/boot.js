// Runs before the application has loaded, for work that must not wait for it.
const readStored = (key) => {
  try {
    return localStorage.getItem(key);
  } catch {
    // The browser forbids storage.
    return null;
  }
};
const refresh = () => fetch("/v1/auth/refresh", { method: "POST", keepalive: true });

// Applies the theme before the first paint, so that the page does not flash; see src/layout/theme.ts.
const theme = readStored("souk.theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;

// Starts refreshing the token if a session may exist. src/session/session.ts uses the response and the same lock.
if (readStored("souk.session")?.startsWith("1")) {
  window.soukRefresh = navigator.locks ? navigator.locks.request("souk.refresh", refresh) : refresh();
  // The application handles errors later.
  window.soukRefresh.catch(() => undefined);
}

// Loads the code of the page at a path. scripts/preload.ts writes the list of pages and their files.
const { files, pages } = JSON.parse(document.getElementById("preload")?.textContent ?? '{"files":[],"pages":[]}');
const requested = new Set();
window.soukPreload = (path) => {
  for (const file of pages.find((page) => new RegExp(page.path).test(path))?.files ?? []) {
    if (requested.has(file)) continue;
    requested.add(file);
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: `/${files[file]}` }));
  }
};
window.soukPreload(location.pathname);
