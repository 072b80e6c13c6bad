import { useMessages } from "@/i18n";

import { ButtonLink } from "./button";
import { messages } from "./messages";
import { Page } from "./page";

/** The page for an address that no route matches, or whose product does not exist. */
export function NotFound() {
  const t = useMessages(messages);
  return (
    <Page title={t.notFound} lead={t.notFoundText}>
      <div>
        <ButtonLink to="/products" look="primary">
          {t.toShop}
        </ButtonLink>
      </div>
    </Page>
  );
}
