import { lazy, Suspense } from "react";

import type { Props } from "./dialogBox";
import { whenIdle } from "./later";

// No page begins with a window, and the library for them is large; it is there before somebody opens one.
const load = () => import("./dialogBox");
const DialogBox = lazy(load);
void whenIdle().then(load, () => undefined);

/** A modal window: focus stays inside and returns to what opened it, Escape closes, and the page behind does not scroll. */
export function Dialog(props: Props) {
  return (
    <Suspense fallback={null}>
      <DialogBox {...props} />
    </Suspense>
  );
}
