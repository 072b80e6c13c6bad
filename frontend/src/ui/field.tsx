import { type ComponentProps, type ReactNode, useId } from "react";

import { classes } from "./classes";

const control =
  "w-full min-h-10 rounded-lg border bg-surface px-3 py-2 text-base text-ink placeholder:text-muted disabled:opacity-60";

interface FieldProps {
  label: string;
  /** The validation message, if the value is invalid. */
  error?: string | undefined;
  hint?: ReactNode;
}

/** A text input with a label, hint and error that assistive technology can associate with it. */
export function TextField({ label, error, hint, className, id, ...rest }: ComponentProps<"input"> & FieldProps) {
  const ids = useIds(id, error, hint);
  return (
    <Labelled {...ids} label={label} error={error} hint={hint} className={className}>
      <input {...rest} {...ids.control} className={classes(control, error ? "border-clay" : "border-edge")} />
    </Labelled>
  );
}

/** A select with the same parts as {@link TextField}; pass `<option>` elements as children. */
export function SelectField({ label, error, hint, className, id, ...rest }: ComponentProps<"select"> & FieldProps) {
  const ids = useIds(id, error, hint);
  return (
    <Labelled {...ids} label={label} error={error} hint={hint} className={className}>
      <select {...rest} {...ids.control} className={classes(control, error ? "border-clay" : "border-edge")} />
    </Labelled>
  );
}

/** A multi-line text input with the same parts as {@link TextField}. */
export function TextArea({ label, error, hint, className, id, ...rest }: ComponentProps<"textarea"> & FieldProps) {
  const ids = useIds(id, error, hint);
  return (
    <Labelled {...ids} label={label} error={error} hint={hint} className={className}>
      <textarea rows={3} {...rest} {...ids.control} className={classes(control, error ? "border-clay" : "border-edge")} />
    </Labelled>
  );
}

/** A checkbox with its label next to it. */
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
