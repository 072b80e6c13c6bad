import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useParams } from "react-router";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { ReasonDialog } from "@/ui/formDialog";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { Status } from "../status";
import { TextLink } from "../textLink";
import { actionsFor, hasEnded, type Saga } from "./actions";
import { messages } from "./messages";
import { ResolveDialog } from "./resolveDialog";
import { definitionOf } from "./sagas";
import { Timeline } from "./timeline";

/** `/admin/sagas/:id`: the steps of a saga, with actions to retry, compensate or resolve it. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const { id = "" } = useParams();
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "saga", id],
    queryFn: ({ signal }) => call(api.GET("/v1/admin/sagas/{id}", { params: { path: { id } }, signal })),
    refetchInterval: ({ state }) => (state.data && hasEnded(state.data) ? false : 2_000),
  });
  if (data) return <View saga={data} />;
  return (
    <Page title={words.saga} lead={t.lead(id)}>
      {error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : (
        <TableSkeleton label={words.loading} />
      )}
    </Page>
  );
}

type Action = "retry" | "compensate" | "resolve";

function View({ saga }: { saga: Saga }) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const [open, setOpen] = useState<Action>();
  const actions = actionsFor(saga);
  const close = () => setOpen(undefined);
  const show = async (next: Saga) => {
    queries.setQueryData(["admin", "saga", saga.id], next);
    await queries.invalidateQueries({ queryKey: ["admin"] });
  };
  const params = { path: { id: saga.id } };
  return (
    <Page
      title={t.title(definitionOf(t.definition, saga.definition))}
      lead={t.lead(saga.id)}
      actions={
        <>
          {actions.canRetry && <Button onClick={() => setOpen("retry")}>{t.retry}</Button>}
          {actions.canCompensate && (
            <Button look="danger" onClick={() => setOpen("compensate")}>
              {t.compensate}
            </Button>
          )}
          {actions.outcomes.length > 0 && (
            <Button look="primary" onClick={() => setOpen("resolve")}>
              {t.resolve}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
        <Status of={saga.status} />
        <TextLink to={`/orders/${saga.order_id}`}>{t.toOrder}</TextLink>
        <TextLink to={`/admin/payments?order=${saga.order_id}`}>{t.toPayment}</TextLink>
        {saga.definition === "checkout" && <TextLink to={`/orders/${saga.order_id}/saga`}>{t.toView}</TextLink>}
        {saga.trace_id && (
          <span className="text-muted">
            {t.trace} <code className="break-all">{saga.trace_id}</code>
          </span>
        )}
      </div>
      {saga.parked_reason && (
        <p className="rounded-2xl border border-clay/40 bg-clay-soft p-4">
          <strong>{t.parkedBecause}:</strong> {saga.parked_reason}
        </p>
      )}
      <Timeline saga={saga} />
      {open === "retry" && (
        <ReasonDialog
          title={t.retry}
          description={t.retryText}
          submit={t.retry}
          done={t.acted}
          onClose={close}
          act={async (reason) => show(await call(api.POST("/v1/admin/sagas/{id}/retry", { params, body: { reason } })))}
        />
      )}
      {open === "compensate" && (
        <ReasonDialog
          title={t.compensate}
          description={t.compensateText}
          submit={t.compensate}
          look="danger"
          done={t.acted}
          onClose={close}
          act={async (reason) =>
            show(await call(api.POST("/v1/admin/sagas/{id}/compensate", { params, body: { reason } })))
          }
        />
      )}
      {open === "resolve" && (
        <ResolveDialog
          outcomes={actions.outcomes}
          onClose={close}
          act={async (body) => show(await call(api.POST("/v1/admin/sagas/{id}/resolve", { params, body })))}
        />
      )}
    </Page>
  );
}
