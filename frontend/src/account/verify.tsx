import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { api, call } from "@/api/client";
import { Problem } from "@/api/problem";
import { useMessages } from "@/i18n";
import { Button, ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

/**
 * Where the link of the sign-up mail leads. The token stands behind the `#`, which no server is sent and no log keeps,
 * and is used by a click, so that a program that opens every link of a mail does not use it up.
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
  const isRefused = verify.error instanceof Problem && !verify.error.mayPass;
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
