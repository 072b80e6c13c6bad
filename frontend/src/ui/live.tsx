import { useSyncExternalStore } from "react";

// The polite live region for screen readers and the short visible notifications. Both disappear after a few seconds, so
// nothing that needs an action belongs here.
interface Note {
  readonly id: number;
  readonly text: string;
  readonly tone: "good" | "bad";
  readonly isShown: boolean;
}

let notes: readonly Note[] = [];
let count = 0;
const listeners = new Set<() => void>();

function set(next: readonly Note[]): void {
  notes = next;
  for (const listener of listeners) listener();
}

function add(text: string, tone: Note["tone"], isShown: boolean): void {
  count += 1;
  const id = count;
  set([...notes.slice(-3), { id, text, tone, isShown }]);
  setTimeout(() => set(notes.filter((note) => note.id !== id)), 6000);
}

/** Announces a text to screen readers only; use it when the page already shows the change. */
export function announce(text: string): void {
  add(text, "good", false);
}

/** Shows a notification for 6 seconds and announces it to screen readers. */
export function notify(text: string, tone: Note["tone"] = "good"): void {
  add(text, tone, true);
}

/** Renders the notifications. The shell mounts it exactly once. */
export function Notes() {
  const current = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => notes,
  );
  return (
    <div
      aria-live="polite"
      className="pointer-events-none fixed inset-x-0 bottom-4 z-50 grid justify-items-center gap-2 px-4"
    >
      {current.map((note) => (
        <p
          key={note.id}
          className={
            note.isShown
              ? `rounded-xl px-4 py-2.5 text-sm font-medium shadow-lg ${
                  note.tone === "bad" ? "bg-clay-soft text-clay" : "bg-ink text-paper"
                }`
              : "sr-only"
          }
        >
          {note.text}
        </p>
      ))}
    </div>
  );
}
