import { useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Product } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { Picture } from "@/ui/picture";
import { Skeleton } from "@/ui/skeleton";

import { productQuery } from "./catalog";
import { messages } from "./messages";
import { Stock } from "./stock";
import { useAddToCart } from "./useAddToCart";

/** A product in a list. Set `isFirst` if it is visible without scrolling. Hovering or focusing the link prefetches its page. */
export function ProductCard({ product, isFirst = false }: { product: Product; isFirst?: boolean }) {
  const t = useMessages(messages);
  const format = useFormat();
  const queries = useQueryClient();
  const { add, quantityOf } = useAddToCart();
  const inCart = quantityOf(product.sku);
  const label = !product.in_stock ? t.soldOut : inCart ? t.addAnother(inCart) : t.add;
  const prefetch = () => {
    window.soukPreload?.(`/products/${product.sku}`);
    void queries.prefetchQuery(productQuery(product.sku));
  };
  return (
    <article className="group relative flex flex-col gap-3 rounded-2xl border border-line bg-surface p-3 transition-shadow hover:shadow-md">
      <Picture src={product.image} isFirst={isFirst} className={product.in_stock ? "" : "opacity-60 grayscale"} />
      <div className="grid flex-1 content-between gap-1 px-1">
        <h3 className="leading-snug font-semibold">
          {/* The link covers the whole card; the button lies on top of it. */}
          <Link
            to={`/products/${product.sku}`}
            onPointerEnter={prefetch}
            onFocus={prefetch}
            className="after:absolute after:inset-0 after:rounded-2xl group-hover:underline group-hover:underline-offset-4"
          >
            {product.name}
          </Link>
        </h3>
        <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
          <span className="num font-medium">{format.money(product.price)}</span>
          <Stock available={product.available} isBrief />
        </div>
      </div>
      <Button
        className="relative mt-auto w-full px-2!"
        disabled={!product.in_stock}
        aria-label={`${label}: ${product.name}`}
        onClick={() => void add(product, 1)}
      >
        {label}
      </Button>
    </article>
  );
}

/** The placeholder for a product card that is loading. */
export function ProductCardSkeleton() {
  return (
    <div className="grid content-start gap-3 rounded-2xl border border-line bg-surface p-3">
      <Skeleton className="aspect-square w-full rounded-xl" />
      <div className="grid gap-2 px-1">
        <Skeleton className="h-5 w-3/4" />
        <Skeleton className="h-6 w-1/2" />
      </div>
      <Skeleton className="h-10 w-full" />
    </div>
  );
}

/** Class names for a responsive grid of product cards. */
export const GRID = "grid grid-cols-2 gap-3 sm:gap-4 md:grid-cols-3 xl:grid-cols-4";
