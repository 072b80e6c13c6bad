/**
 * What a browser may lack or forbid: storage with cookies blocked, locks and channels outside secure pages. Without them
 * each tab is on its own, but works.
 */

/** What was kept under `key`: null where nothing was, undefined where the browser does not tell. */
export function recall(key: string): string | null | undefined {
  try {
    return localStorage.getItem(key);
  } catch {
    return undefined;
  }
}

/** Keeps `value` for the next visit, if the browser lets it; null forgets. */
export function keep(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // It is known until the page is left.
  }
}

/** Does the work when no other tab does any under this name. */
export async function exclusively<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = navigator.locks as LockManager | undefined;
  let isBegun = false;
  try {
    if (locks) {
      return await locks.request(name, async () => {
        isBegun = true;
        return await work();
      });
    }
  } catch (error) {
    if (isBegun) throw error;
  }
  return await work();
}

/** Hears what the other tabs tell, and gives a way to tell them. */
export function openChannel<T>(name: string, hear: (message: T) => void): (message: T) => void {
  try {
    const channel = new BroadcastChannel(name);
    channel.addEventListener("message", ({ data }: MessageEvent<T>) => hear(data));
    return (message) => channel.postMessage(message);
  } catch {
    return () => undefined;
  }
}
