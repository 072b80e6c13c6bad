import { classes } from "./classes";

/** A placeholder for content that is loading; `className` should give it the size of that content. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={classes("animate-pulse rounded-lg bg-raised", className)} />;
}
