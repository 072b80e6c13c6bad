import { Link, useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { RequireUser } from "@/session/requireUser";
import { classes } from "@/ui/classes";
import { Page } from "@/ui/page";

import { Addresses } from "./addresses";
import { ApiKeys } from "./apiKeys";
import { messages } from "./messages";
import { Overview } from "./overview";
import { Profile } from "./profile";
import { Sessions } from "./sessions";

const TABS = { overview: Overview, profile: Profile, addresses: Addresses, keys: ApiKeys, sessions: Sessions } as const;
type Tab = keyof typeof TABS;

/** `/account`: the account of the signed-in user; the `tab` parameter selects the section. */
export function Component() {
  return (
    <RequireUser>
      <Account />
    </RequireUser>
  );
}

function Account() {
  const t = useMessages(messages);
  const [query] = useSearchParams();
  const requested = query.get("tab") ?? "";
  const tab: Tab = Object.hasOwn(TABS, requested) ? (requested as Tab) : "overview";
  const Section = TABS[tab];
  return (
    <Page title={t.account}>
      <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] gap-6 lg:grid-cols-[13rem_minmax(0,1fr)] lg:gap-10">
        <nav aria-label={t.sections}>
          <ul className="flex flex-wrap gap-1 lg:grid">
            {(Object.keys(TABS) as Tab[]).map((name) => (
              <li key={name}>
                <Link
                  to={name === "overview" ? "/account" : `/account?tab=${name}`}
                  aria-current={name === tab ? "page" : undefined}
                  className={classes(
                    "block rounded-lg px-3 py-2 text-sm font-medium whitespace-nowrap hover:bg-raised",
                    name === tab && "bg-raised text-accent underline underline-offset-4",
                  )}
                >
                  {t.tabs[name]}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <Section />
      </div>
    </Page>
  );
}
