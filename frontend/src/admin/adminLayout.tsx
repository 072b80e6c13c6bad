import { useEffect, useRef } from "react";
import { NavLink, Outlet, useMatch } from "react-router";

import { useMessages } from "@/i18n";
import { RequireUser } from "@/session/requireUser";
import { useIsAdmin } from "@/session/useSession";
import { ButtonLink } from "@/ui/button";
import { classes } from "@/ui/classes";
import { Page } from "@/ui/page";

import { useAudit, useSummary } from "./api";
import { messages } from "./messages";

/** The frame of the back office, for operators only. The servers check the role again with every request. */
export function Component() {
  return (
    <RequireUser>
      <Office />
    </RequireUser>
  );
}

function Office() {
  const t = useMessages(messages);
  const isAdmin = useIsAdmin();
  if (!isAdmin) {
    return (
      <Page title={t.refused} lead={t.refusedText}>
        <div>
          <ButtonLink to="/products" look="primary">
            {t.toShop}
          </ButtonLink>
        </div>
      </Page>
    );
  }
  return (
    <div className="grid gap-6 lg:grid-cols-[10rem_minmax(0,1fr)] lg:gap-8">
      <Navigation />
      <div className="min-w-0">
        <Outlet />
      </div>
    </div>
  );
}

function Navigation() {
  const t = useMessages(messages);
  const summary = useSummary().data;
  const audit = useAudit().data;
  return (
    <nav aria-label={t.title} className="relative -mx-4 overflow-x-auto px-4 sm:-mx-6 sm:px-6 lg:mx-0 lg:overflow-visible lg:px-0">
      <ul className="flex gap-1 text-sm font-medium lg:sticky lg:top-24 lg:grid">
        <Section to="/admin" label={t.sections.dashboard} />
        <Section to="/admin/orders" label={t.sections.orders} />
        <Section to="/admin/stock" label={t.sections.stock} />
        <Section to="/admin/payments" label={t.sections.payments} />
        <Section to="/admin/users" label={t.sections.users} />
        <Section to="/admin/sagas" label={t.sections.sagas} count={summary?.sagas.parked} />
        <Section to="/admin/dead-letters" label={t.sections.deadLetters} count={summary?.dead_letters} />
        <Section to="/admin/gateway" label={t.sections.gateway} />
        <Section
          to="/admin/audit"
          label={t.sections.audit}
          count={audit?.invariants.filter(({ violated }) => violated > 0).length}
        />
        <Section to="/admin/faults" label={t.sections.faults} />
      </ul>
    </nav>
  );
}

/** A link to a page, with the number of entries that need an operator. */
function Section({ to, label, count = 0 }: { to: string; label: string; count?: number | undefined }) {
  const t = useMessages(messages);
  const isCurrent = useMatch({ path: to, end: to === "/admin" }) !== null;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    // On a phone the navigation is wider than the screen, so scroll to the current page.
    if (isCurrent && item.current) item.current.closest("nav")?.scrollTo({ left: item.current.offsetLeft - 80 });
  }, [isCurrent]);
  return (
    <li ref={item}>
      <NavLink
        to={to}
        end={to === "/admin"}
        className={classes(
          "flex items-center justify-between gap-2 rounded-lg px-3 py-2 whitespace-nowrap hover:bg-raised",
          isCurrent && "bg-raised text-accent underline underline-offset-4",
        )}
      >
        {label}
        {count > 0 && (
          <span className="num rounded-full bg-clay-soft px-2 text-xs leading-5 font-bold text-clay">
            <span aria-hidden>{count}</span>
            <span className="sr-only">{t.attention(count)}</span>
          </span>
        )}
      </NavLink>
    </li>
  );
}
