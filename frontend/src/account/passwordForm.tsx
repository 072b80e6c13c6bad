import { zodResolver } from "@hookform/resolvers/zod";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { Button } from "@/ui/button";
import { CheckField } from "@/ui/field";
import { notify } from "@/ui/live";
import { showAtFields } from "@/ui/serverErrors";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { Refusal } from "./guestPage";
import { messages } from "./messages";
import { PasswordField } from "./passwordField";
import { newPassword, translatePasswordError } from "./passwordRules";
import { useCountdown } from "./useCountdown";

/** A form to change the password, which requires the current one. */
export function PasswordForm({ email }: { email: string }) {
  const t = useMessages(messages);
  const schema = useMemo(
    () =>
      z.object({
        current_password: z.string().min(1, t.needed),
        new_password: newPassword(t),
        keep_api_keys: z.boolean(),
      }),
    [t],
  );
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { current_password: "", new_password: "", keep_api_keys: false },
  });
  const { errors, isSubmitting } = form.formState;
  const [failure, setFailure] = useState<unknown>();
  const wait = useCountdown();
  const submit = form.handleSubmit(async (body) => {
    setFailure(undefined);
    try {
      await call(api.PUT("/v1/users/me/password", { body }));
      form.reset();
      notify(t.passwordChanged);
    } catch (error) {
      if (error instanceof Problem && error.status === 429) wait.start(error.retryAfter ?? 60);
      setFailure(showAtFields(error, ["current_password", "new_password"], form.setError, translatePasswordError(t)));
    }
  });
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
      {failure instanceof Problem && failure.status === 429 ? (
        <Refusal>{t.tooManyWrong}</Refusal>
      ) : (
        failure !== undefined && <Failure error={failure} />
      )}
      {/* Password managers need the user name to update the right entry. */}
      <input type="text" hidden readOnly autoComplete="username" value={email} />
      <PasswordField
        {...form.register("current_password")}
        label={t.currentPassword}
        autoComplete="current-password"
        error={errors.current_password?.message}
      />
      <PasswordField
        {...form.register("new_password")}
        label={t.newPassword}
        hint={t.passwordHint}
        autoComplete="new-password"
        error={errors.new_password?.message}
      />
      <CheckField {...form.register("keep_api_keys")} label={t.keepKeys} hint={t.keepKeysHint} />
      <div>
        <Button type="submit" look="primary" busy={isSubmitting} disabled={wait.left > 0}>
          {wait.left > 0 ? t.wait(wait.left) : t.changePassword}
        </Button>
      </div>
    </form>
  );
}
