import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { useCart } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { ButtonLink } from "@/ui/button";
import { useTitle } from "@/ui/page";
import { Picture } from "@/ui/picture";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";

import { categoriesQuery, previewQuery } from "./catalog";
import { messages } from "./messages";
import { ProductCard, ProductCardSkeleton } from "./productCard";

/** Number of categories whose newest product is shown under "New in the shop". */
const NEWEST = 4;

/** The home page. It requests two products of each category, so that no category can crowd out the others. */
export function Component() {
  const t = useMessages(messages);
  useTitle("Souk");
  const { data, error, refetch } = useQuery(categoriesQuery());
  const categories = data?.items.filter(({ products }) => products > 0);
  const previews = useQueries({ queries: (categories ?? []).map(({ slug }) => previewQuery(slug)) });
  const shelves = categories?.map((category, index) => ({ ...category, ...previews[index]?.data, isPending: previews[index]?.isPending }));
  return (
    <div className="grid gap-14">
      <Hero pictures={shelves?.flatMap(({ cover }) => cover ?? []).slice(0, 3)} />
      {error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : (
        <>
          <section aria-labelledby="categories" className="grid gap-5">
            <h2 id="categories" className="text-2xl font-semibold">
              {t.byCategory}
            </h2>
            <ul className="grid grid-cols-2 gap-3 sm:grid-cols-3 sm:gap-4 lg:grid-cols-6">
              {shelves
                ? shelves.map(({ slug, name, products, cover, isPending }) => (
                    <li key={slug}>
                      <Link to={`/products?category=${slug}`} className="group grid gap-2 rounded-xl">
                        {cover ? (
                          <Picture src={cover} className="transition-transform group-hover:scale-[1.02]" />
                        ) : isPending ? (
                          <Skeleton className="aspect-square w-full rounded-xl" />
                        ) : (
                          <div className="aspect-square w-full rounded-xl bg-raised" />
                        )}
                        <span className="grid px-1 leading-snug">
                          <span className="font-semibold group-hover:underline group-hover:underline-offset-4">
                            {t.categories[slug] ?? name}
                          </span>
                          <span className="text-sm text-muted">{t.products(products)}</span>
                        </span>
                      </Link>
                    </li>
                  ))
                : Array.from({ length: 6 }, (_, index) => (
                    <li key={index} className="grid gap-2">
                      <Skeleton className="aspect-square w-full rounded-xl" />
                      <Skeleton className="h-11 w-2/3" />
                    </li>
                  ))}
            </ul>
          </section>
          <section aria-labelledby="newest" className="grid gap-5">
            <div className="flex items-baseline justify-between gap-4">
              <h2 id="newest" className="text-2xl font-semibold">
                {t.newest}
              </h2>
              <Link to="/products?sort=newest" className="font-semibold text-accent underline-offset-4 hover:underline">
                {t.seeAll}
              </Link>
            </div>
            <div className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-4">
              {shelves
                ? shelves
                    .filter(({ newest, isPending }) => newest ?? isPending)
                    .slice(0, NEWEST)
                    .map(({ slug, newest }) =>
                      newest ? <ProductCard key={slug} product={newest} /> : <ProductCardSkeleton key={slug} />,
                    )
                : Array.from({ length: NEWEST }, (_, index) => <ProductCardSkeleton key={index} />)}
            </div>
          </section>
        </>
      )}
      <SagaBand />
    </div>
  );
}

function Hero({ pictures }: { pictures: readonly string[] | undefined }) {
  const t = useMessages(messages);
  const tilt = ["-rotate-4", "translate-y-3 rotate-2", "-translate-y-1 rotate-6"];
  return (
    <section className="grid items-center gap-8 overflow-hidden rounded-3xl bg-accent-soft px-6 py-10 sm:px-10 sm:py-14 lg:grid-cols-[1fr_26rem]">
      <div className="grid justify-items-start gap-4">
        <h1 className="max-w-[14ch] text-4xl leading-tight font-semibold sm:text-5xl">{t.hero}</h1>
        <p className="max-w-prose text-lg">{t.heroLead}</p>
        <ButtonLink to="/products" look="primary" className="mt-2 px-6 text-base">
          {t.browse}
        </ButtonLink>
      </div>
      <div aria-hidden className="grid grid-cols-3 gap-3">
        {tilt.map((turn, index) => {
          const picture = pictures?.[index];
          return (
            <div key={turn} className={turn}>
              {picture ? <Picture src={picture} isFirst className="shadow-lg" /> : <div className="aspect-square" />}
            </div>
          );
        })}
      </div>
    </section>
  );
}

function SagaBand() {
  const t = useMessages(messages);
  const { count } = useCart();
  return (
    <section
      aria-labelledby="saga"
      className="grid gap-6 rounded-3xl border border-line bg-surface px-6 py-8 sm:px-10 lg:grid-cols-[1fr_auto] lg:items-center"
    >
      <div className="grid gap-2">
        <h2 id="saga" className="text-2xl font-semibold">
          {t.sagaTitle}
        </h2>
        <p className="max-w-prose text-muted">{t.sagaText}</p>
      </div>
      <ButtonLink to={count ? "/checkout" : "/products?in_stock=true"}>{count ? t.sagaCheckout : t.sagaPick}</ButtonLink>
    </section>
  );
}
