import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { TextField } from "@/ui/field";
import { showAtFields } from "@/ui/serverErrors";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { Aside, GuestPage } from "./guestPage";
import { messages } from "./messages";

interface Props {
  /** The endpoint that sends the email. */
  path: "/v1/auth/password-reset" | "/v1/auth/verification-mail";
  title: string;
  lead: string;
  /** The label of the submit button. */
  action: string;
  /** The text after success. It must not reveal whether an account exists, which the API does not disclose. */
  sent: (email: string) => string;
}

/** Asks for an email address and requests an email to it, which is only sent if an account exists. */
export function MailRequest({ path, title, lead, action, sent }: Props) {
  const t = useMessages(messages);
  const [email, setEmail] = useState<string>();
  if (email !== undefined) {
    return (
      <GuestPage title={t.checkMail} lead={sent(email)}>
        <div className="flex flex-wrap gap-3">
          <ButtonLink to="/sign-in" look="primary">
            {t.signIn}
          </ButtonLink>
          <Button onClick={() => setEmail(undefined)}>{t.otherAddress}</Button>
        </div>
      </GuestPage>
    );
  }
  return (
    <GuestPage title={title} lead={lead}>
      <Card>
        <EmailForm path={path} action={action} onSent={setEmail} />
      </Card>
      <Aside>
        <p>{t.remembered}</p>
        <ButtonLink to="/sign-in">{t.signIn}</ButtonLink>
      </Aside>
    </GuestPage>
  );
}

interface FormProps extends Pick<Props, "path" | "action"> {
  onSent: (email: string) => void;
}

function EmailForm({ path, action, onSent }: FormProps) {
  const t = useMessages(messages);
  const schema = useMemo(() => z.object({ email: z.email(t.emailWrong) }), [t]);
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { email: "" } });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const submit = form.handleSubmit(async (body) => {
    setFailure(undefined);
    try {
      await call(api.POST(path, { body }));
      onSent(body.email);
    } catch (error) {
      setFailure(showAtFields(error, ["email"], form.setError, () => t.emailWrong));
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
      {failure !== undefined && <Failure error={failure} />}
      <TextField
        {...form.register("email")}
        label={t.email}
        type="email"
        autoComplete="username"
        required
        error={errors.email?.message}
      />
      <Button type="submit" look="primary" busy={isSubmitting}>
        {action}
      </Button>
    </form>
  );
}
