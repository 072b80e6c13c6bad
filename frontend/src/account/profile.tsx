import { zodResolver } from "@hookform/resolvers/zod";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { TextField } from "@/ui/field";
import { notify } from "@/ui/live";
import { showAtFields } from "@/ui/serverErrors";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { messages } from "./messages";
import { PasswordForm } from "./passwordForm";
import { Section } from "./section";

/** Forms to change the name and the password. */
export function Profile() {
  const t = useMessages(messages);
  const { data, error, refetch } = useQuery({
    queryKey: ["account", "profile"],
    queryFn: ({ signal }) => call(api.GET("/v1/users/me", { signal })),
  });
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  return (
    <div className="grid max-w-xl content-start gap-8">
      <Section title={t.tabs.profile}>
        <Card>{data ? <ProfileForm profile={data} /> : <Skeleton className="h-56" />}</Card>
      </Section>
      <Section title={t.changePassword} lead={t.changePasswordLead}>
        <Card>{data ? <PasswordForm email={data.email} /> : <Skeleton className="h-64" />}</Card>
      </Section>
    </div>
  );
}

function ProfileForm({ profile }: { profile: Schemas["Profile"] }) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const schema = useMemo(() => z.object({ name: z.string().trim().min(1, t.needed).max(200, t.tooLong(200)) }), [t]);
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { name: profile.name } });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const submit = form.handleSubmit(async (fields) => {
    setFailure(undefined);
    try {
      await call(api.PATCH("/v1/users/me", { body: fields }));
      notify(t.saved);
      await queries.invalidateQueries({ queryKey: ["account"] });
    } catch (error) {
      setFailure(showAtFields(error, ["name"], form.setError));
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
      {failure !== undefined && <Failure error={failure} />}
      <TextField
        {...form.register("name")}
        label={t.name}
        hint={t.nameHint}
        autoComplete="name"
        required
        error={errors.name?.message}
      />
      <TextField label={t.email} type="email" value={profile.email} readOnly hint={t.emailFixed} />
      <div>
        <Button type="submit" look="primary" busy={isSubmitting}>
          {t.save}
        </Button>
      </div>
    </form>
  );
}
