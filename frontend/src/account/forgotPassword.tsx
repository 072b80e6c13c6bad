import { useMessages } from "@/i18n";

import { MailRequest } from "./mailRequest";
import { messages } from "./messages";

/** `/forgot-password`: requests an email with a link to reset the password. */
export function Component() {
  const t = useMessages(messages);
  return (
    <MailRequest
      path="/v1/auth/password-reset"
      title={t.forgotPassword}
      lead={t.forgotPasswordLead}
      action={t.sendResetLink}
      sent={t.resetLinkSent}
    />
  );
}
