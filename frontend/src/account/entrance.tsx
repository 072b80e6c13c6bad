import { type ReactNode } from "react";
import { Navigate, useSearchParams } from "react-router";

import { useSession } from "@/session/useSession";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";

import { localPath } from "./next";

/** The frame of signing in and registering. Whoever is signed in goes on to where they wanted. */
export function Entrance({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
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

/** What went wrong, for those who see and those who listen. */
export function Refusal({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className="flex gap-2 rounded-lg bg-clay-soft px-3 py-2.5 text-sm font-medium text-clay">
      <span aria-hidden>▲</span>
      {children}
    </p>
  );
}

/** The way to the other of the two pages. */
export function Aside({ children }: { children: ReactNode }) {
  return <Card className="flex flex-wrap items-center justify-between gap-3 py-4 sm:py-4">{children}</Card>;
}
