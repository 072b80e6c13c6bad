import type { ReactNode } from "react";
import { useLocation } from "react-router";

import { useMessages } from "@/i18n";
import { ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";

import { messages } from "./messages";
import { useIsResuming, useSession } from "./useSession";

/** Renders `children` for signed-in users only. Guests see links to sign in or register, which lead back to this page. */
export function RequireUser({ children }: { children: ReactNode }) {
  const t = useMessages(messages);
  const user = useSession();
  const isResuming = useIsResuming();
  const { pathname, search } = useLocation();
  if (user || isResuming) return children;
  const next = `?next=${encodeURIComponent(pathname + search)}`;
  return (
    <Page title={t.title} lead={t.text}>
      <div className="flex flex-wrap gap-3">
        <ButtonLink to={`/sign-in${next}`} look="primary">
          {t.signIn}
        </ButtonLink>
        <ButtonLink to={`/register${next}`}>{t.register}</ButtonLink>
      </div>
    </Page>
  );
}
