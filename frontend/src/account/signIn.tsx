import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";
import { Link, useSearchParams } from "react-router";

import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { session } from "@/session/session";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { TextField } from "@/ui/field";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { DemoLogins } from "./demoLogins";
import { Aside, GuestPage, Refusal } from "./guestPage";
import { messages } from "./messages";
import { PasswordField } from "./passwordField";
import { useCountdown } from "./useCountdown";

/** `/sign-in`: the form to sign in, with shortcuts for the demo accounts. */
export function Component() {
  const t = useMessages(messages);
  const [query] = useSearchParams();
  return (
    <GuestPage title={t.signIn} lead={t.signInLead}>
      <Card>
        <SignInForm />
      </Card>
      <DemoLogins />
      <Aside>
        <p>{t.newHere}</p>
        <ButtonLink to={{ pathname: "/register", search: query.toString() }}>{t.createAccount}</ButtonLink>
      </Aside>
    </GuestPage>
  );
}

function SignInForm() {
  const t = useMessages(messages);
  const schema = useMemo(
    () => z.object({ email: z.string().trim().min(1, t.needed), password: z.string().min(1, t.needed) }),
    [t],
  );
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { email: "", password: "" } });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const wait = useCountdown();
  const submit = form.handleSubmit(async (credentials) => {
    setFailure(undefined);
    try {
      await session.signIn(credentials);
    } catch (error) {
      setFailure(error);
      if (error instanceof Problem && error.status === 429) wait.start(error.retryAfter ?? 60);
      form.setFocus("password", { shouldSelect: true });
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
      <SignInFailure error={failure} />
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
        autoComplete="current-password"
        error={errors.password?.message}
      />
      <Button type="submit" look="primary" busy={isSubmitting} disabled={wait.left > 0}>
        {wait.left > 0 ? t.wait(wait.left) : t.signIn}
      </Button>
      <ButtonLink to="/forgot-password" look="quiet">
        {t.forgotPassword}
      </ButtonLink>
    </form>
  );
}

function SignInFailure({ error }: { error: unknown }) {
  const t = useMessages(messages);
  if (error === undefined) return null;
  const status = error instanceof Problem ? error.status : undefined;
  if (status === 401) {
    return (
      <div className="grid gap-2">
        <Refusal>{t.refused}</Refusal>
        <p className="text-sm text-muted">
          {t.notVerified}{" "}
          <Link to="/resend-verification" className="text-accent underline underline-offset-4">
            {t.resendVerificationAction}
          </Link>
        </p>
      </div>
    );
  }
  if (status === 429) return <Refusal>{t.tooMany}</Refusal>;
  return <Failure error={error} />;
}
