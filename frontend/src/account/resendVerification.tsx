import { useMessages } from "@/i18n";

import { MailRequest } from "./mailRequest";
import { messages } from "./messages";

/** `/resend-verification`: requests another confirmation email. */
export function Component() {
  const t = useMessages(messages);
  return (
    <MailRequest
      path="/v1/auth/verification-mail"
      title={t.resendVerification}
      lead={t.resendVerificationLead}
      action={t.resendVerificationAction}
      sent={t.verificationSent}
    />
  );
}
