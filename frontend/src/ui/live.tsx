import { useSyncExternalStore } from "react";

/**
 * The page's one polite live region, for those who listen, and the short notes that everybody sees. What must be acted
 * on does not belong here: notes go away.
 */
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

/** Says it to those who listen, where the page itself shows it already. */
export function announce(text: string): void {
  add(text, "good", false);
}

/** Shows it for some seconds, and says it. */
export function notify(text: string, tone: Note["tone"] = "good"): void {
  add(text, tone, true);
}

/** Used once, by the shell. */
export function Notes() {
  const shown = useSyncExternalStore(
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
      {shown.map((note) => (
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
