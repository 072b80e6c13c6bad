import { type ComponentType, lazy, Suspense, useRef } from "react";
import { Form, Link, NavLink, useNavigate, useSearchParams } from "react-router";

import { openCart, useIsCartOpen } from "@/cart/drawer";
import { useCart } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { session } from "@/session/session";
import { useIsAdmin, useIsResuming, useSession } from "@/session/useSession";
import { ButtonLink, IconButton } from "@/ui/button";
import { classes } from "@/ui/classes";
import { whenIdle } from "@/ui/later";
import { notify } from "@/ui/live";

import { messages } from "./messages";

// Loaded after the first paint. If loading fails, the header works without the bell.
const Bell = lazy<ComponentType>(() =>
  whenIdle()
    .then(() => import("@/notifications/bell"))
    .then(
      (module) => ({ default: module.Bell }),
      () => ({ default: () => null }),
    ),
);
// Loaded when the cart is opened for the first time.
const CartDrawer = lazy(() => import("@/cart/cartDrawer").then((module) => ({ default: module.CartDrawer })));

/** The sticky header: navigation, search, notifications, account and cart. */
export function Header() {
  const t = useMessages(messages);
  const user = useSession();
  const isSignedIn = useIsResuming() || user !== undefined;
  const isAdmin = useIsAdmin();
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-paper/95 backdrop-blur">
      <div className="mx-auto grid max-w-7xl grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2 px-4 py-3 sm:px-6 md:flex">
        <Link to="/" className="flex items-center gap-2 font-display text-xl font-semibold">
          <img src="/icon.svg" alt="" width={28} height={28} />
          Souk
        </Link>
        <nav
          aria-label={t.main}
          className={classes(
            "row-start-2 -ml-3 flex gap-1 text-sm font-medium md:ml-0",
            isAdmin ? "col-span-2" : "max-[22.5rem]:col-span-2",
          )}
        >
          <Tab to="/products">{t.shop}</Tab>
          {isSignedIn && <Tab to="/orders">{t.orders}</Tab>}
          {isAdmin && <Tab to="/admin">{t.backOffice}</Tab>}
        </nav>
        <SearchBox isBelow={isAdmin} />
        <div className="col-start-2 row-start-1 flex items-center gap-1 justify-self-end">
          {isSignedIn && (
            <Suspense fallback={<span className="size-10" />}>
              {user ? <Bell key={user.userId} /> : <span className="size-10" />}
            </Suspense>
          )}
          {isSignedIn ? <AccountMenu /> : <ButtonLink to="/sign-in" look="quiet">{t.signIn}</ButtonLink>}
          <CartButton />
        </div>
      </div>
    </header>
  );
}

function Tab({ to, children }: { to: string; children: string }) {
  return (
    <NavLink
      to={to}
      className={({ isActive }) =>
        classes("rounded-lg px-3 py-2 hover:bg-raised", isActive && "bg-raised text-accent underline underline-offset-4")
      }
    >
      {children}
    </NavLink>
  );
}

/** The product search. On a phone it stands next to the navigation, or below it if `isBelow` is set or the screen is very narrow. */
function SearchBox({ isBelow }: { isBelow: boolean }) {
  const t = useMessages(messages);
  const [query] = useSearchParams();
  const term = query.get("q") ?? "";
  return (
    <Form
      role="search"
      action="/products"
      className={classes(
        "min-w-0 md:ml-auto md:max-w-80 md:flex-1",
        isBelow ? "col-span-2 row-start-3" : "row-start-2 max-[22.5rem]:col-span-2 max-[22.5rem]:row-start-3",
      )}
      // Resets the field when the address changes to another search.
      key={term}
    >
      <input
        type="search"
        name="q"
        defaultValue={term}
        aria-label={t.searchHint}
        placeholder={t.searchHint}
        maxLength={100}
        className="min-h-10 w-full rounded-lg border border-edge bg-surface px-3 py-2 text-sm"
      />
    </Form>
  );
}

/** A native popover: it closes on Escape, on a click outside, and when a link is followed. */
function AccountMenu() {
  const t = useMessages(messages);
  const navigate = useNavigate();
  const menu = useRef<HTMLUListElement>(null);
  const item = "block w-full rounded-lg px-3 py-2 text-left hover:bg-raised";
  const close = () => menu.current?.hidePopover();
  return (
    <>
      <IconButton label={t.account} popoverTarget="account-menu">
        <svg aria-hidden width="22" height="22" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8">
          <circle cx="12" cy="8" r="4" />
          <path d="M4 21a8 8 0 0 1 16 0" strokeLinecap="round" />
        </svg>
      </IconButton>
      <ul
        ref={menu}
        id="account-menu"
        popover="auto"
        className="fixed inset-auto top-16 right-4 m-0 min-w-44 rounded-xl border border-line bg-surface p-1.5 text-sm text-ink shadow-xl sm:right-16"
      >
        <li>
          <Link to="/account" className={item} onClick={close}>
            {t.account}
          </Link>
        </li>
        <li>
          <Link to="/orders" className={item} onClick={close}>
            {t.orders}
          </Link>
        </li>
        <li>
          <button
            type="button"
            className={item}
            onClick={() => {
              close();
              void session.signOut();
              notify(t.signedOut);
              void navigate("/");
            }}
          >
            {t.signOut}
          </button>
        </li>
      </ul>
    </>
  );
}

function CartButton() {
  const t = useMessages(messages);
  const { count } = useCart();
  const isOpen = useIsCartOpen();
  return (
    <>
      <IconButton label={t.cart(count)} onClick={() => openCart()} className="relative">
        <svg aria-hidden width="22" height="22" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.8">
          <path d="M5 8h14l1 12H4z" strokeLinejoin="round" />
          <path d="M8.5 10.5V7a3.5 3.5 0 0 1 7 0v3.5" strokeLinecap="round" />
        </svg>
        {count > 0 && (
          <span
            aria-hidden
            className="num absolute -top-0.5 -right-0.5 min-w-5 rounded-full bg-accent px-1 text-center text-xs leading-5 font-bold text-on-accent"
          >
            {count}
          </span>
        )}
      </IconButton>
      {isOpen && (
        <Suspense fallback={null}>
          <CartDrawer onClose={() => openCart(false)} />
        </Suspense>
      )}
    </>
  );
}
