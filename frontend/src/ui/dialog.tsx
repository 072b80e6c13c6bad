import { lazy, Suspense } from "react";

import type { Props } from "./dialogBox";
import { whenIdle } from "./later";

// The dialog library is large and no page starts with a dialog, so it is loaded once the browser is idle.
const load = () => import("./dialogBox");
const DialogBox = lazy(load);
void whenIdle().then(load, () => undefined);

/** A modal dialog: it keeps the focus and returns it to the opener, closes on Escape, and stops the page from scrolling. */
export function Dialog(props: Props) {
  return (
    <Suspense fallback={null}>
      <DialogBox {...props} />
    </Suspense>
  );
}
