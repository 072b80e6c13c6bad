import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";
import { useSearchParams } from "react-router";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { session } from "@/session/session";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { TextField } from "@/ui/field";
import { notify } from "@/ui/live";
import { showAtFields } from "@/ui/serverErrors";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { Aside, GuestPage } from "./guestPage";
import { messages } from "./messages";
import { PasswordField } from "./passwordField";
import { newPassword, translatePasswordError } from "./passwordRules";

/** `/register`: creates an account and signs in, or asks to check the email. */
export function Component() {
  const t = useMessages(messages);
  const [query] = useSearchParams();
  const [mailed, setMailed] = useState<string>();
  const signIn = { pathname: "/sign-in", search: query.toString() };
  if (mailed) {
    return (
      <GuestPage title={t.checkMail} lead={t.checkMailText(mailed)}>
        <div className="flex flex-wrap gap-3">
          <ButtonLink to={signIn} look="primary">
            {t.signIn}
          </ButtonLink>
          <ButtonLink to="/resend-verification">{t.resendVerificationAction}</ButtonLink>
        </div>
      </GuestPage>
    );
  }
  return (
    <GuestPage title={t.register} lead={t.registerLead}>
      <Card>
        <RegisterForm onMailed={setMailed} />
      </Card>
      <Aside>
        <p>{t.haveAccount}</p>
        <ButtonLink to={signIn}>{t.signIn}</ButtonLink>
      </Aside>
    </GuestPage>
  );
}

function RegisterForm({ onMailed }: { onMailed: (email: string) => void }) {
  const t = useMessages(messages);
  const schema = useMemo(
    () =>
      z.object({
        name: z.string().trim().min(1, t.needed).max(200, t.tooLong(200)),
        email: z.email(t.emailWrong),
        password: newPassword(t),
      }),
    [t],
  );
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { name: "", email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const submit = form.handleSubmit(async (account) => {
    setFailure(undefined);
    try {
      await call(api.POST("/v1/auth/register", { body: account }));
      await session.signIn(account);
      notify(t.welcome);
    } catch (error) {
      // The account already exists, or its email address is not confirmed yet. The server does not disclose which.
      if (error instanceof Problem && error.status === 401) onMailed(account.email);
      else setFailure(showAtFields(error, ["name", "email", "password"], form.setError, translatePasswordError(t)));
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
      <TextField
        {...form.register("email")}
        label={t.email}
        type="email"
        autoComplete="username"
        required
        error={errors.email?.message}
      />
      <PasswordField
        {...form.register("password")}
        label={t.password}
        hint={t.passwordHint}
        autoComplete="new-password"
        error={errors.password?.message}
      />
      <Button type="submit" look="primary" busy={isSubmitting}>
        {t.createAccount}
      </Button>
    </form>
  );
}
