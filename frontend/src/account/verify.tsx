import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { Button, ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

/**
 * The page that the link in the confirmation email opens. The token is in the URL fragment, which browsers send to no
 * server, so it appears in no log. It is only used on a click, so that mail scanners that open every link do not consume it.
 */
export function Component() {
  const t = useMessages(messages);
  const [token] = useState(() => new URLSearchParams(window.location.hash.slice(1)).get("token") ?? "");
  const verify = useMutation({
    mutationFn: async () => {
      await call(api.POST("/v1/auth/verify", { body: { token } }));
    },
  });
  if (verify.isSuccess) {
    return (
      <Page title={t.verified} lead={t.verifiedText}>
        <div>
          <ButtonLink to="/sign-in" look="primary">
            {t.signIn}
          </ButtonLink>
        </div>
      </Page>
    );
  }
  const isRefused = verify.error instanceof Problem && !verify.error.isRetryable;
  if (!token || isRefused) {
    return (
      <Page title={t.linkRefused} lead={t.verifyRefusedText}>
        <div>
          <ButtonLink to="/resend-verification" look="primary">
            {t.resendVerificationAction}
          </ButtonLink>
        </div>
      </Page>
    );
  }
  return (
    <Page title={t.verify} lead={t.verifyText}>
      {verify.error && <Failure error={verify.error} />}
      <div>
        <Button look="primary" busy={verify.isPending} onClick={() => verify.mutate()}>
          {t.verifyAction}
        </Button>
      </div>
    </Page>
  );
}
