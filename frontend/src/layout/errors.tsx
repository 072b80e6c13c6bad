import { isRouteErrorResponse, useRouteError } from "react-router";

import { Problem } from "@/api/problem";
import { useMessages } from "@/i18n";
import { Button, ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

/** No route leads here. */
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

/** A page that broke; what is around it stays. */
export function Broken() {
  const t = useMessages(messages);
  const error = useRouteError();
  const isMissing = isRouteErrorResponse(error) ? error.status === 404 : error instanceof Problem && error.status === 404;
  if (isMissing) return <NotFound />;
  return (
    <Page title={t.crashed} lead={t.crashedText}>
      <Failure error={error} />
      <div>
        <Button look="primary" onClick={() => window.location.reload()}>
          {t.reload}
        </Button>
      </div>
    </Page>
  );
}
