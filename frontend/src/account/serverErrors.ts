import type { FieldPath, FieldValues, UseFormSetError } from "react-hook-form";

import { Problem } from "@/api/problem";

/**
 * Puts what the server refused to the form's fields and the focus on the first of them. What no field stands for comes
 * back, for the page to show.
 */
export function showAtFields<T extends FieldValues>(
  error: unknown,
  fields: readonly FieldPath<T>[],
  setError: UseFormSetError<T>,
  translate: (detail: string) => string = (detail) => detail,
): unknown {
  if (!(error instanceof Problem) || error.errors.length === 0) return error;
  const known = fields.flatMap((field) => {
    const told = error.errors.find(({ pointer }) => pointer === `/${field}`);
    return told ? [{ field, message: translate(told.detail) }] : [];
  });
  for (const [index, { field, message }] of known.entries()) {
    setError(field, { type: "server", message }, { shouldFocus: index === 0 });
  }
  return known.length === error.errors.length ? undefined : error;
}
