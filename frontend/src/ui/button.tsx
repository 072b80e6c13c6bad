import type { ComponentProps } from "react";
import { Link, type LinkProps } from "react-router";

import { classes } from "./classes";

/** `primary` is the main action of a page, at most one in view. `danger` deletes or cancels something. */
type Look = "primary" | "secondary" | "quiet" | "danger";

const base =
  "inline-flex min-h-10 items-center justify-center gap-2 rounded-lg px-4 py-2 text-sm font-semibold transition-colors disabled:cursor-not-allowed disabled:opacity-55 aria-disabled:opacity-55";
const looks: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  secondary: "border border-edge bg-surface text-ink hover:bg-raised",
  quiet: "text-accent hover:bg-accent-soft",
  danger: "border border-clay bg-surface text-clay hover:bg-clay-soft",
};

interface Common {
  look?: Look;
  /** Shows a spinner and disables the button while its action is running. */
  busy?: boolean;
}

/** A button; of type `button` unless `type` is given. */
export function Button({ look = "secondary", busy = false, className, children, ...rest }: ComponentProps<"button"> & Common) {
  return (
    <button
      type="button"
      {...rest}
      aria-busy={busy || undefined}
      disabled={rest.disabled === true || busy}
      className={classes(base, looks[look], className)}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}

/** A link that looks like a button. */
/** A button; of type `button` unless `type` is given. */
export function ButtonLink({ look = "secondary", className, ...rest }: LinkProps & Omit<Common, "busy">) {
  return <Link {...rest} className={classes(base, looks[look], className)} />;
}

/** A button with only an icon; `label` is its accessible name and tooltip. */
export function IconButton({ label, className, ...rest }: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={classes(
        "inline-flex size-10 shrink-0 items-center justify-center rounded-lg text-ink transition-colors hover:bg-raised disabled:opacity-50",
        className,
      )}
    />
  );
}

function Spinner() {
  return (
    <span
      aria-hidden
      className="size-4 animate-spin rounded-full border-2 border-current border-r-transparent"
    />
  );
}
