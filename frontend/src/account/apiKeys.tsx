import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { notify } from "@/ui/live";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import { Confirm } from "./confirm";
import { messages } from "./messages";
import { NewKey } from "./newKey";
import { Section } from "./section";

type ApiKey = Schemas["ApiKey"];

const KEYS = ["account", "keys"];

/** The list of API keys, with dialogs to create and delete them. */
export function ApiKeys() {
  const t = useMessages(messages);
  const queries = useQueryClient();
  // One page holds all keys, because an account has at most 20.
  const { data, error, refetch } = useQuery({
    queryKey: KEYS,
    queryFn: async ({ signal }) =>
      (await call(api.GET("/v1/users/me/api-keys", { params: { query: { limit: 100 } }, signal }))).items,
  });
  const [isAdding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<ApiKey>();
  const refresh = () => queries.invalidateQueries({ queryKey: KEYS });
  const add = (
    <Button look="primary" onClick={() => setAdding(true)}>
      {t.createKey}
    </Button>
  );
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  return (
    <Section title={t.tabs.keys} lead={t.keysLead} action={data && data.length > 0 && add}>
      {!data && <Skeleton className="h-40 rounded-2xl" />}
      {data?.length === 0 && (
        <Empty title={t.noKeys} action={add}>
          {t.noKeysText}
        </Empty>
      )}
      {data && data.length > 0 && (
        <ul className="divide-y divide-line rounded-2xl border border-line bg-surface">
          {data.map((key) => (
            <KeyRow key={key.id} apiKey={key} onRemove={() => setRemoving(key)} />
          ))}
        </ul>
      )}
      {isAdding && (
        <Dialog open onOpenChange={() => setAdding(false)} title={t.createKey}>
          <NewKey onCreated={refresh} onDone={() => setAdding(false)} />
        </Dialog>
      )}
      {removing && (
        <Confirm
          title={t.removeKey(removing.name)}
          text={t.removeKeyText}
          action={t.remove}
          onConfirm={async () => {
            await call(api.DELETE("/v1/users/me/api-keys/{id}", { params: { path: { id: removing.id } } }));
            await refresh();
            notify(t.keyRemoved);
          }}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </Section>
  );
}

function KeyRow({ apiKey, onRemove }: { apiKey: ApiKey; onRemove: () => void }) {
  const t = useMessages(messages);
  const format = useFormat();
  const used = apiKey.last_used_at ? t.lastUsed(format.moment(apiKey.last_used_at)) : t.neverUsed;
  const [now] = useState(Date.now);
  const hasExpired = now >= Date.parse(apiKey.expires_at);
  const expires = format.day(apiKey.expires_at);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-3 sm:px-5">
      <div className="min-w-0">
        <p className="font-medium break-words">{apiKey.name}</p>
        <p className="text-sm text-muted">
          <code>{apiKey.prefix}…</code> · {t.made(format.day(apiKey.created_at))} · {used}
        </p>
        <p className="text-sm text-muted">
          {apiKey.scopes.map((scope) => t.scopes[scope]).join(", ")} ·{" "}
          {hasExpired ? <strong className="font-semibold text-clay">{t.expired(expires)}</strong> : t.expires(expires)}
        </p>
      </div>
      <Button look="quiet" aria-label={`${t.remove}: ${apiKey.name}`} onClick={onRemove} className="-mx-4">
        {t.remove}
      </Button>
    </li>
  );
}
