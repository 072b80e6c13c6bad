/** Resolves when the browser is idle, after at most 2 seconds. Use it for work that the first paint does not need. */
export function whenIdle(): Promise<void> {
  return new Promise((resolve) => {
    if ("requestIdleCallback" in window) window.requestIdleCallback(() => resolve(), { timeout: 2000 });
    // Safari has no requestIdleCallback.
    else setTimeout(resolve, 500);
  });
}
