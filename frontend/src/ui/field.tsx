import { type ComponentProps, type ReactNode, useId } from "react";

import { classes } from "./classes";

const control =
  "w-full min-h-10 rounded-lg border bg-surface px-3 py-2 text-base text-ink placeholder:text-muted disabled:opacity-60";

interface FieldProps {
  label: string;
  /** What is wrong with it, as the reader is told. */
  error?: string | undefined;
  hint?: ReactNode;
}

/** A text input with its label, hint and error, tied together for everybody. */
export function TextField({ label, error, hint, className, id, ...rest }: ComponentProps<"input"> & FieldProps) {
  const ids = useIds(id, error, hint);
  return (
    <Labelled {...ids} label={label} error={error} hint={hint} className={className}>
      <input {...rest} {...ids.control} className={classes(control, error ? "border-clay" : "border-edge")} />
    </Labelled>
  );
}

/** As {@link TextField}, with choices as `<option>` children. */
export function SelectField({ label, error, hint, className, id, ...rest }: ComponentProps<"select"> & FieldProps) {
  const ids = useIds(id, error, hint);
  return (
    <Labelled {...ids} label={label} error={error} hint={hint} className={className}>
      <select {...rest} {...ids.control} className={classes(control, error ? "border-clay" : "border-edge")} />
    </Labelled>
  );
}

/** As {@link TextField}, for more than a line. */
export function TextArea({ label, error, hint, className, id, ...rest }: ComponentProps<"textarea"> & FieldProps) {
  const ids = useIds(id, error, hint);
  return (
    <Labelled {...ids} label={label} error={error} hint={hint} className={className}>
      <textarea rows={3} {...rest} {...ids.control} className={classes(control, error ? "border-clay" : "border-edge")} />
    </Labelled>
  );
}

/** A choice of yes or no, with its label beside it. */
export function CheckField({ label, error, hint, className, id, ...rest }: ComponentProps<"input"> & FieldProps) {
  const ids = useIds(id, error, hint);
  return (
    <div className={classes("grid gap-0.5", className)}>
      <label htmlFor={ids.base} className="flex min-h-9 items-center gap-2.5 text-sm font-medium">
        <input {...rest} {...ids.control} type="checkbox" className="size-4 shrink-0 accent-accent" />
        {label}
      </label>
      <div className="pl-6.5">
        <Notes base={ids.base} error={error} hint={hint} />
      </div>
    </div>
  );
}

function useIds(id: string | undefined, error: string | undefined, hint: ReactNode) {
  const own = useId();
  const base = id ?? own;
  const describedBy = [error && `${base}-error`, hint && `${base}-hint`].filter(Boolean).join(" ");
  return {
    base,
    control: {
      id: base,
      "aria-invalid": error ? true : undefined,
      "aria-describedby": describedBy || undefined,
    },
  };
}

function Labelled({
  base,
  label,
  error,
  hint,
  className,
  children,
}: FieldProps & { base: string; className?: string | undefined; children: ReactNode }) {
  return (
    <div className={classes("grid content-start gap-1.5", className)}>
      <label htmlFor={base} className="text-sm font-medium">
        {label}
      </label>
      {children}
      <Notes base={base} error={error} hint={hint} />
    </div>
  );
}

function Notes({ base, error, hint }: Pick<FieldProps, "error" | "hint"> & { base: string }) {
  return (
    <>
      {hint && (
        <p id={`${base}-hint`} className="text-sm text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${base}-error`} className="flex gap-1.5 text-sm text-clay">
          <span aria-hidden>▲</span>
          {error}
        </p>
      )}
    </>
  );
}
