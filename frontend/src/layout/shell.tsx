import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { Outlet, ScrollRestoration, useLocation } from "react-router";

import { useMergeGuestCart } from "@/cart/useCart";
import { useLocale, useMessages } from "@/i18n";
import { useResetOnUserChange } from "@/session/useSession";
import { Notes } from "@/ui/live";

import { FaultBanner } from "./faultBanner";
import { Footer } from "./footer";
import { Header } from "./header";
import { messages } from "./messages";

/** The frame of every page: banners, header and footer. */
export function Shell() {
  const t = useMessages(messages);
  useResetOnUserChange();
  useMergeGuestCart();
  useRefetchOnLocaleChange();
  const main = useFocusOnNavigation();
  const isOnline = useSyncExternalStore(subscribeToConnectivity, () => navigator.onLine);
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:rounded-lg focus:bg-ink focus:px-4 focus:py-2 focus:text-paper"
      >
        {t.skip}
      </a>
      <FaultBanner />
      {!isOnline && (
        <p role="status" className="bg-saffron-soft px-4 py-2 text-center text-sm font-medium text-saffron">
          {t.offline}
        </p>
      )}
      <Header />
      {/* Keeps the footer below the first screen, so that late content does not shift it (CLS). */}
      <main ref={main} id="main" tabIndex={-1} className="mx-auto min-h-[calc(100dvh-4.5rem)] w-full max-w-7xl flex-1 px-4 py-8 outline-none sm:px-6">
        <Outlet />
      </main>
      <Footer />
      <Notes />
      <ScrollRestoration getKey={({ pathname, search }) => pathname + search} />
    </div>
  );
}

/** Moves the focus to the main content after a navigation, for keyboard and screen reader users. A change of the query does not count. */
function useFocusOnNavigation() {
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current !== pathname) main.current?.focus({ preventScroll: true });
    last.current = pathname;
  }, [pathname]);
  return main;
}

/** Refetches all data when the language changes, because the API returns some texts in that language. */
function useRefetchOnLocaleChange(): void {
  const { locale } = useLocale();
  const queries = useQueryClient();
  const last = useRef(locale);
  useEffect(() => {
    if (last.current !== locale) void queries.invalidateQueries();
    last.current = locale;
  }, [locale, queries]);
}

function subscribeToConnectivity(listener: () => void): () => void {
  window.addEventListener("online", listener);
  window.addEventListener("offline", listener);
  return () => {
    window.removeEventListener("online", listener);
    window.removeEventListener("offline", listener);
  };
}
