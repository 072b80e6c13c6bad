import { type ReactNode } from "react";
import { Navigate, useSearchParams } from "react-router";

import { useSession } from "@/session/useSession";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";

import { localPath } from "./next";

/** The frame of the pages for guests. A signed-in user is redirected to the `next` parameter of the address. */
export function GuestPage({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  const user = useSession();
  const [query] = useSearchParams();
  if (user) return <Navigate to={localPath(query.get("next"))} replace />;
  return (
    <div className="mx-auto w-full max-w-md">
      <Page title={title} lead={lead}>
        {children}
      </Page>
    </div>
  );
}

/** An error message that is announced to screen readers. */
export function Refusal({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="flex gap-2 rounded-lg bg-clay-soft px-3 py-2.5 text-sm font-medium text-clay">
      <span aria-hidden>▲</span>
      {children}
    </p>
  );
}

/** A card with a link to a related page. */
export function Aside({ children }: { children: ReactNode }) {
  return <Card className="flex flex-wrap items-center justify-between gap-3 py-4 sm:py-4">{children}</Card>;
}
