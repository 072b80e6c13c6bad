// Browser features that may be missing or forbidden: storage when cookies are blocked, and locks and channels outside secure
// contexts. Without them every tab still works, but does not coordinate with the others.

/** Reads a value from local storage. Returns `null` if there is none, and `undefined` if storage is not accessible. */
export function readStored(key: string): string | null | undefined {
  try {
    return localStorage.getItem(key);
  } catch {
    return undefined;
  }
}

/** Writes a value to local storage; `null` removes it. Does nothing if storage is not accessible. */
export function writeStored(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // The caller keeps the value in memory.
  }
}

/** Runs `work` while no other tab runs work under the same lock name. */
export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = navigator.locks as LockManager | undefined;
  let hasStarted = false;
  try {
    if (locks) {
      return await locks.request(name, async () => {
        hasStarted = true;
        return await work();
      });
    }
  } catch (error) {
    if (hasStarted) throw error;
  }
  return await work();
}

/** Subscribes to the messages of other tabs and returns a function that sends messages to them. */
export function openChannel<T>(name: string, onMessage: (message: T) => void): (message: T) => void {
  try {
    const channel = new BroadcastChannel(name);
    channel.addEventListener("message", ({ data }: MessageEvent<T>) => onMessage(data));
    return (message) => channel.postMessage(message);
  } catch {
    return () => undefined;
  }
}
