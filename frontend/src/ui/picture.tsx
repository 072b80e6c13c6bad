import { classes } from "./classes";

/** A product's square picture. It has no alternative text, because it always appears next to the product's name. */
export function Picture({ src, className, isFirst = false }: { src: string; className?: string; isFirst?: boolean }) {
  return (
    <img
      src={src}
      alt=""
      width={400}
      height={400}
      loading={isFirst ? "eager" : "lazy"}
      fetchPriority={isFirst ? "high" : "auto"}
      decoding="async"
      className={classes("aspect-square w-full rounded-xl bg-raised object-cover dark:brightness-90", className)}
    />
  );
}
