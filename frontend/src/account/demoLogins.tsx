import { useMutation, useQuery } from "@tanstack/react-query";

import { isDemo, paymentMethodsQuery } from "@/checkout/paymentMethods";
import { useMessages } from "@/i18n";
import { OPERATOR, SHOPPER } from "@/session/demoAccounts";
import { session } from "@/session/session";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

/** Buttons that sign in to the demo accounts. Renders nothing outside demo mode. */
export function DemoLogins() {
  const t = useMessages(messages);
  const { data: methods, isPending } = useQuery(paymentMethodsQuery);
  const signIn = useMutation({ mutationFn: (account: typeof SHOPPER) => session.signIn(account) });
  if (isPending) return <Skeleton className="h-48 rounded-2xl" />;
  if (!isDemo(methods)) return null;
  const button = (account: typeof SHOPPER, text: string) => (
    <Button
      busy={signIn.isPending && signIn.variables === account}
      disabled={signIn.isPending}
      onClick={() => signIn.mutate(account)}
    >
      {text}
    </Button>
  );
  return (
    <section className="grid gap-3 rounded-2xl bg-accent-soft p-5 sm:p-6">
      <div>
        <h2 className="text-xl font-semibold">{t.demoTitle}</h2>
        <p className="text-sm">{t.demoText}</p>
      </div>
      {signIn.error && <Failure error={signIn.error} />}
      {button(SHOPPER, t.asShopper)}
      {button(OPERATOR, t.asOperator)}
    </section>
  );
}
