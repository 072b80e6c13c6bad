import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";

import { openCart } from "@/cart/drawer";
import { MAX_QUANTITY, type Product } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Problem } from "@/problem";
import { Button } from "@/ui/button";
import { NotFound } from "@/ui/notFound";
import { useTitle } from "@/ui/page";
import { Picture } from "@/ui/picture";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";
import { Stepper } from "@/ui/stepper";

import { availabilityQuery, productQuery, shelfQuery } from "./catalog";
import { messages } from "./messages";
import { pageMessages } from "./pageMessages";
import { ProductCard } from "./productCard";
import { Stock } from "./stock";
import { useAddToCart } from "./useAddToCart";

/** `/products/:sku`: a product, with a form to add it to the cart. */
export function Component() {
  const { sku = "" } = useParams();
  const { data, error, refetch } = useQuery(productQuery(sku));
  if (error instanceof Problem && (error.status === 404 || error.status === 422)) return <NotFound />;
  if (error && !data) return <Failure error={error} onRetry={() => void refetch()} />;
  return data ? <Details key={sku} product={data} /> : <ProductSkeleton />;
}

type ProductDetails = Omit<Product, "available" | "in_stock">;

function Details({ product }: { product: ProductDetails }) {
  const t = useMessages(messages);
  const p = useMessages(pageMessages);
  const format = useFormat();
  useTitle(product.name);
  const category = t.categories[product.category] ?? product.category;
  const attributes = Object.entries(product.attributes);
  return (
    <div className="grid gap-12">
      <div className="grid gap-5">
        <nav aria-label={p.breadcrumb} className="flex flex-wrap gap-2 text-sm text-muted">
          <Link to="/products" className="underline underline-offset-4 hover:text-ink">
            {p.shop}
          </Link>
          <span aria-hidden>/</span>
          <Link to={`/products?category=${product.category}`} className="underline underline-offset-4 hover:text-ink">
            {category}
          </Link>
        </nav>
        <div className="grid items-start gap-8 md:grid-cols-2 lg:gap-14">
          <Picture src={product.image} isFirst className="rounded-3xl" />
          <div className="grid gap-5 md:pt-4">
            <h1 className="text-3xl font-semibold sm:text-4xl">{product.name}</h1>
            <p className="num text-2xl font-medium">{format.money(product.price)}</p>
            <p className="max-w-prose text-lg text-muted">{product.description}</p>
            <Purchase product={product} />
            {attributes.length > 0 && (
              <section aria-labelledby="details" className="border-t border-line pt-5">
                <h2 id="details" className="mb-2 text-lg font-semibold">
                  {p.details}
                </h2>
                <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5">
                  {attributes.map(([name, value]) => (
                    <div key={name} className="contents">
                      <dt className="text-muted">{p.attributes[name] ?? capitalize(name)}</dt>
                      <dd>{value}</dd>
                    </div>
                  ))}
                </dl>
              </section>
            )}
          </div>
        </div>
      </div>
      <RelatedProducts of={product} title={p.moreFrom(category)} />
    </div>
  );
}

/** The availability, a quantity, and the button that adds to the cart. */
function Purchase({ product }: { product: ProductDetails }) {
  const t = useMessages(messages);
  const p = useMessages(pageMessages);
  const { data: available, error } = useQuery(availabilityQuery(product.sku));
  const { add, quantityOf } = useAddToCart();
  const [wanted, setWanted] = useState(1);
  const [isBusy, setBusy] = useState(false);
  // If the availability is unknown, the item can be ordered; the checkout will reject it if it is sold out.
  const left = available ?? (error ? MAX_QUANTITY : 0);
  const most = Math.min(MAX_QUANTITY, left);
  const quantity = Math.max(1, Math.min(wanted, most));
  const inCart = quantityOf(product.sku);
  const buy = async () => {
    setBusy(true);
    await add({ ...product, available: left, in_stock: left > 0 }, quantity);
    setBusy(false);
    setWanted(1);
  };
  return (
    <div className="grid gap-4">
      <div className="flex min-h-6 items-center">
        {available !== undefined ? (
          <Stock available={available} />
        ) : error ? (
          <p className="text-sm text-muted">{p.unknownStock}</p>
        ) : (
          <Skeleton className="h-6 w-24 rounded-full" />
        )}
      </div>
      <div className="flex flex-wrap items-center gap-3">
        {left > 0 && <Stepper label={p.quantity} value={quantity} max={most} onChange={setWanted} />}
        <Button look="primary" busy={isBusy} disabled={left <= 0} onClick={() => void buy()} className="min-w-44 px-6 text-base">
          {available === 0 ? t.soldOut : t.add}
        </Button>
      </div>
      {inCart > 0 && (
        <p className="flex flex-wrap items-center gap-x-1 text-sm">
          <span aria-hidden className="text-leaf">
            ✓
          </span>
          {p.inCart(inCart)}
          <Button look="quiet" onClick={() => openCart()}>
            {p.viewCart}
          </Button>
        </p>
      )}
    </div>
  );
}

function RelatedProducts({ of, title }: { of: ProductDetails; title: string }) {
  const { data } = useQuery(shelfQuery({ category: of.category, in_stock: true }, 5));
  const others = data?.items.filter(({ sku }) => sku !== of.sku).slice(0, 4);
  if (!others || others.length === 0) return null;
  return (
    <section aria-labelledby="related" className="grid gap-5">
      <h2 id="related" className="text-2xl font-semibold">
        {title}
      </h2>
      <div className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4">
        {others.map((product) => (
          <ProductCard key={product.sku} product={product} />
        ))}
      </div>
    </section>
  );
}

function ProductSkeleton() {
  return (
    <div className="mt-10 grid items-start gap-8 md:grid-cols-2 lg:gap-14">
      <Skeleton className="aspect-square w-full rounded-3xl" />
      <div className="grid gap-5 md:pt-4">
        <Skeleton className="h-10 w-3/4" />
        <Skeleton className="h-8 w-24" />
        <Skeleton className="h-16 w-full" />
        <Skeleton className="h-12 w-64" />
      </div>
    </div>
  );
}

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1).replaceAll(/[_-]/g, " ");
}
