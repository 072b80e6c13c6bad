import { useMutation, useQuery } from "@tanstack/react-query";

import { useMessages } from "@/i18n";
import { SHOPPER } from "@/session/demoAccounts";
import { session } from "@/session/session";
import { Button, ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";

import { messages } from "./messages";
import { isDemo, paymentMethodsQuery } from "./paymentMethods";

/** Shown to guests instead of the steps. In demo mode it offers a one-click sign-in. */
export function SignInPanel() {
  const t = useMessages(messages);
  const { data: methods, isPending } = useQuery(paymentMethodsQuery);
  const demo = useMutation({ mutationFn: () => session.signIn(SHOPPER) });
  return (
    <div className="grid max-w-3xl gap-4">
      {isPending && <Skeleton className="h-40 rounded-2xl" />}
      {isDemo(methods) && (
        <Card className="grid gap-3">
          <h2 className="text-xl font-semibold">{t.demoTitle}</h2>
          <p className="text-muted">{t.demoText}</p>
          <div>
            <Button look="primary" busy={demo.isPending} onClick={() => demo.mutate()}>
              {t.asDemo}
            </Button>
          </div>
          {demo.error && <Failure error={demo.error} />}
        </Card>
      )}
      <Card className="grid gap-3">
        <h2 className="text-xl font-semibold">{t.whoTitle}</h2>
        <p className="max-w-prose text-muted">{t.whoText}</p>
        <div className="flex flex-wrap gap-3">
          <ButtonLink to="/sign-in?next=/checkout">{t.signIn}</ButtonLink>
          <ButtonLink to="/register?next=/checkout">{t.register}</ButtonLink>
        </div>
      </Card>
    </div>
  );
}
