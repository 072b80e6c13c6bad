import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useIsAdmin } from "@/session/useSession";
import { Button } from "@/ui/button";
import { CheckField, SelectField, TextField } from "@/ui/field";
import { notify } from "@/ui/live";
import { showAtFields } from "@/ui/serverErrors";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { messages } from "./messages";
import { inDays, LIFETIMES, type Scope, SCOPES } from "./scopes";

interface Props {
  onCreated: () => Promise<unknown>;
  onDone: () => void;
}

/** A form for an API key's name, scopes and lifetime. After creation it shows the key, which cannot be read again. */
export function NewKey({ onCreated, onDone }: Props) {
  const t = useMessages(messages);
  const isAdmin = useIsAdmin();
  const schema = useMemo(
    () =>
      z.object({
        name: z.string().trim().min(1, t.needed).max(200, t.tooLong(200)),
        scopes: z.array(z.enum(["read", "order", "admin"])).min(1, t.scopeNeeded),
        days: z.string(),
      }),
    [t],
  );
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { name: "", scopes: ["read"] as Scope[], days: "90" },
  });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const [secret, setSecret] = useState<string>();
  const submit = form.handleSubmit(async ({ name, scopes, days }) => {
    setFailure(undefined);
    try {
      const body = { name, scopes, expires_at: inDays(Number(days)) };
      const { key } = await call(api.POST("/v1/users/me/api-keys", { body }));
      setSecret(key);
      await onCreated();
    } catch (error) {
      setFailure(showAtFields(error, ["name", "scopes"], form.setError));
    }
  });
  if (secret) return <Secret secret={secret} onDone={onDone} />;
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
      {failure !== undefined && <Failure error={failure} />}
      <TextField
        {...form.register("name")}
        label={t.keyName}
        hint={t.keyNameHint}
        autoComplete="off"
        required
        error={errors.name?.message}
      />
      <fieldset className="grid gap-1" aria-describedby={errors.scopes ? "scopes-error" : undefined}>
        <legend className="mb-1 text-sm font-medium">{t.keyScopes}</legend>
        {SCOPES.filter((scope) => scope !== "admin" || isAdmin).map((scope) => (
          <CheckField
            {...form.register("scopes")}
            key={scope}
            id={`scope-${scope}`}
            value={scope}
            label={t.scopes[scope]}
            hint={t.scopeHints[scope]}
          />
        ))}
        {errors.scopes && (
          <p id="scopes-error" role="alert" className="flex gap-1.5 text-sm text-clay">
            <span aria-hidden>▲</span>
            {errors.scopes.message}
          </p>
        )}
      </fieldset>
      <SelectField {...form.register("days")} label={t.keyLifetime} hint={t.keyLifetimeHint}>
        {LIFETIMES.map((days) => (
          <option key={days} value={days}>
            {t.days(days)}
          </option>
        ))}
      </SelectField>
      <div className="flex flex-wrap justify-end gap-3">
        <Button onClick={onDone}>{t.cancel}</Button>
        <Button type="submit" look="primary" busy={isSubmitting}>
          {t.createKey}
        </Button>
      </div>
    </form>
  );
}

function Secret({ secret, onDone }: { secret: string; onDone: () => void }) {
  const t = useMessages(messages);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(secret);
      notify(t.copied);
    } catch {
      notify(t.copyFailed, "bad");
    }
  };
  return (
    <div className="grid gap-4">
      <TextField
        label={t.keyCreated}
        hint={t.keyOnce}
        value={secret}
        readOnly
        onFocus={(event) => event.target.select()}
        spellCheck={false}
      />
      <div className="flex flex-wrap justify-end gap-3">
        <Button look="primary" onClick={() => void copy()}>
          {t.copy}
        </Button>
        <Button onClick={onDone}>{t.done}</Button>
      </div>
    </div>
  );
}
