import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { session } from "@/session/session";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";
import { showAtFields } from "@/ui/serverErrors";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { messages } from "./messages";
import { PasswordField } from "./passwordField";
import { newPassword, translatePasswordError } from "./passwordRules";

/**
 * The page that the link in the email opens. The token is in the URL fragment, which browsers send to no server, so it
 * appears in no log. It is only used on submit, so that mail scanners that open every link do not consume it.
 */
export function Component() {
  const t = useMessages(messages);
  const [token] = useState(() => new URLSearchParams(window.location.hash.slice(1)).get("token") ?? "");
  const [state, setState] = useState<"form" | "done" | "refused">(token ? "form" : "refused");
  if (state === "done") {
    return (
      <Narrow title={t.passwordReset} lead={t.passwordResetText}>
        <ButtonLink to="/sign-in" look="primary">
          {t.signIn}
        </ButtonLink>
      </Narrow>
    );
  }
  if (state === "refused") {
    return (
      <Narrow title={t.linkRefused} lead={t.resetRefusedText}>
        <ButtonLink to="/forgot-password" look="primary">
          {t.sendAnotherLink}
        </ButtonLink>
      </Narrow>
    );
  }
  return (
    <Narrow title={t.chooseNewPassword} lead={t.chooseNewPasswordLead}>
      <Card>
        <ResetForm token={token} onDone={() => setState("done")} onRefused={() => setState("refused")} />
      </Card>
    </Narrow>
  );
}

function Narrow({ title, lead, children }: { title: string; lead: string; children: React.ReactNode }) {
  return (
    <div className="mx-auto w-full max-w-md">
      <Page title={title} lead={lead}>
        <div>{children}</div>
      </Page>
    </div>
  );
}

interface Props {
  token: string;
  onDone: () => void;
  onRefused: () => void;
}

function ResetForm({ token, onDone, onRefused }: Props) {
  const t = useMessages(messages);
  const schema = useMemo(() => z.object({ password: newPassword(t) }), [t]);
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { password: "" } });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const submit = form.handleSubmit(async ({ password }) => {
    setFailure(undefined);
    try {
      await call(api.POST("/v1/auth/password-reset/confirm", { body: { token, password } }));
      // The server has revoked every session, including this one.
      session.end();
      onDone();
    } catch (error) {
      if (error instanceof Problem && error.errors.some(({ pointer }) => pointer === "/token")) onRefused();
      else setFailure(showAtFields(error, ["password"], form.setError, translatePasswordError(t)));
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
      {failure !== undefined && <Failure error={failure} />}
      <PasswordField
        {...form.register("password")}
        label={t.newPassword}
        hint={t.passwordHint}
        autoComplete="new-password"
        error={errors.password?.message}
      />
      <Button type="submit" look="primary" busy={isSubmitting}>
        {t.savePassword}
      </Button>
    </form>
  );
}
