/** Not before the browser has painted what came first, and has a moment: for what most readers do not look at yet. */
export function whenIdle(): Promise<void> {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in window) window.requestIdleCallback(() => resolve(), { timeout: 2000 });
    // Safari has none.
    else setTimeout(resolve, 500);
  });
}
