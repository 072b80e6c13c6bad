import { NavLink, Outlet } from "react-router";

import { useMessages } from "@/i18n";

import { messages } from "./messages";

const TABS = {
  overview: "/admin/gateway",
  routes: "/admin/gateway/routes",
  upstreams: "/admin/gateway/upstreams",
  limits: "/admin/gateway/limits",
  configuration: "/admin/gateway/configuration",
} as const;

/** The frame of the pages about the gateway, with links to its sections. */
export function Component() {
  const t = useMessages(messages);
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-6">
      <nav aria-label={t.sections}>
        <ul className="flex flex-wrap gap-1 border-b border-line pb-2 text-sm font-medium">
          {(Object.keys(TABS) as (keyof typeof TABS)[]).map((tab) => (
            <li key={tab}>
              <NavLink
                to={TABS[tab]}
                end
                className="block rounded-lg px-3 py-2 hover:bg-raised aria-[current]:bg-raised aria-[current]:text-accent aria-[current]:underline aria-[current]:underline-offset-4"
              >
                {t.tabs[tab]}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </div>
  );
}
