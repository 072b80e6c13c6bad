// Before the first paint, so that a chosen theme does not flash: see src/layout/theme.ts.
try {
  const theme = localStorage.getItem("souk.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is closed to us: the system's theme it is.
}
