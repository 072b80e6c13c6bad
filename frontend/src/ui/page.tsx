import { type ReactNode, useEffect } from "react";

/** The frame of a page. It renders the only `h1` and sets the document title. */
export function Page({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useTitle(title);
  return (
    <div className="grid gap-6">
      <div className="flex flex-wrap items-end justify-between gap-4">
        <div className="grid gap-1">
          <h1 className="text-3xl font-semibold sm:text-4xl">{title}</h1>
          {lead && <p className="max-w-prose text-muted">{lead}</p>}
        </div>
        {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
      </div>
      {children}
    </div>
  );
}

/** Sets the document title, for pages that render their own heading. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "Souk" ? title : `${title} · Souk`;
  }, [title]);
}
