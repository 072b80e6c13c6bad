import { isRouteErrorResponse, useRouteError } from "react-router";

import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { Button } from "@/ui/button";
import { NotFound } from "@/ui/notFound";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

/** Replaces a page that failed to load or render; header and footer stay. */
export function ErrorPage() {
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
