import type { ComponentProps } from "react";

import { classes } from "./classes";

/** A bordered surface that groups related content. */
export function Card({ className, ...rest }: ComponentProps<"section">) {
  return <section {...rest} className={classes("rounded-2xl border border-line bg-surface p-5 sm:p-6", className)} />;
}
