import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";
import { z } from "@/ui/zod";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { TextField } from "@/ui/field";
import { Failure } from "@/ui/states";

import { Aside, Entrance } from "./entrance";
import { messages } from "./messages";
import { showAtFields } from "./serverErrors";

interface Props {
  /** Which email is asked for. */
  path: "/v1/auth/password-reset" | "/v1/auth/verification-mail";
  title: string;
  lead: string;
  /** What the button says. */
  action: string;
  /** What the page says afterwards. The server never tells whether there is an account. */
  sent: (email: string) => string;
}

/** Asks for an address, and has an email sent there if there is an account. */
export function MailRequest({ path, title, lead, action, sent }: Props) {
  const t = useMessages(messages);
  const [email, setEmail] = useState<string>();
  if (email !== undefined) {
    return (
      <Entrance title={t.checkMail} lead={sent(email)}>
        <div className="flex flex-wrap gap-3">
          <ButtonLink to="/sign-in" look="primary">
            {t.signIn}
          </ButtonLink>
          <Button onClick={() => setEmail(undefined)}>{t.otherAddress}</Button>
        </div>
      </Entrance>
    );
  }
  return (
    <Entrance title={title} lead={lead}>
      <Card>
        <AddressForm path={path} action={action} onSent={setEmail} />
      </Card>
      <Aside>
        <p>{t.remembered}</p>
        <ButtonLink to="/sign-in">{t.signIn}</ButtonLink>
      </Aside>
    </Entrance>
  );
}

interface FormProps extends Pick<Props, "path" | "action"> {
  onSent: (email: string) => void;
}

function AddressForm({ path, action, onSent }: FormProps) {
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
