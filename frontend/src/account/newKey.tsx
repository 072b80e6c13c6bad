import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";
import { z } from "@/ui/zod";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { TextField } from "@/ui/field";
import { notify } from "@/ui/live";
import { Failure } from "@/ui/states";

import { messages } from "./messages";
import { showAtFields } from "./serverErrors";

interface Props {
  onCreated: () => Promise<unknown>;
  onDone: () => void;
}

/** Asks for a key's name, and shows the key this once. */
export function NewKey({ onCreated, onDone }: Props) {
  const t = useMessages(messages);
  const schema = useMemo(() => z.object({ name: z.string().trim().min(1, t.needed).max(200, t.tooLong) }), [t]);
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { name: "" } });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const [secret, setSecret] = useState<string>();
  const submit = form.handleSubmit(async (body) => {
    setFailure(undefined);
    try {
      const { key } = await call(api.POST("/v1/users/me/api-keys", { body }));
      setSecret(key);
      await onCreated();
    } catch (error) {
      setFailure(showAtFields(error, ["name"], form.setError));
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
