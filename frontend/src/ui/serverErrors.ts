import type { FieldPath, FieldValues, UseFormSetError } from "react-hook-form";

import { Problem } from "@/problem";

/**
 * Shows validation errors of the API at the form's fields and focuses the first of them. Returns `undefined` if a field
 * shows every error; otherwise returns the error, which the page must show.
 */
export function showAtFields<T extends FieldValues>(
  error: unknown,
  fields: readonly FieldPath<T>[],
  setError: UseFormSetError<T>,
  translate: (detail: string) => string = (detail) => detail,
): unknown {
  if (!(error instanceof Problem) || error.errors.length === 0) return error;
  const known = fields.flatMap((field) => {
    const found = error.errors.find(({ pointer }) => pointer === `/${field}`);
    return found ? [{ field, message: translate(found.detail) }] : [];
  });
  for (const [index, { field, message }] of known.entries()) {
    setError(field, { type: "server", message }, { shouldFocus: index === 0 });
  }
  return known.length === error.errors.length ? undefined : error;
}
