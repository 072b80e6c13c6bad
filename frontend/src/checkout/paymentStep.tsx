import { useQuery } from "@tanstack/react-query";
import { useId } from "react";

import { useMessages } from "@/i18n";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Skeleton } from "@/ui/skeleton";
import { Empty, Failure } from "@/ui/states";

import { messages } from "./messages";
import { isDemo, type PaymentMethod, paymentMethodsQuery } from "./paymentMethods";
import { RadioCard } from "./radioCard";

interface Props {
  payment: string | undefined;
  onPick: (payment: string) => void;
  onDone: (payment: string) => void;
}

/** The second step: choose a payment method. Test cards describe their outcome. */
export function PaymentStep({ payment, onPick, onDone }: Props) {
  const t = useMessages(messages);
  const name = useId();
  const { data: methods, error, refetch } = useQuery(paymentMethodsQuery);
  if (error && !methods) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!methods) {
    return (
      <div className="grid gap-3">
        {Array.from({ length: 4 }, (_, index) => (
          <Skeleton key={index} className="h-20 w-full rounded-xl" />
        ))}
      </div>
    );
  }
  const chosen = methods.find(({ id }) => id === payment) ?? methods[0];
  if (!chosen) return <Empty title={t.noMethods} />;
  return (
    <div className="grid gap-4">
      {isDemo(methods) && <p className="text-muted">{t.paymentLead}</p>}
      <fieldset className="grid gap-3">
        <legend className="sr-only">{t.paymentTitle}</legend>
        {methods.map((method) => (
          <RadioCard key={method.id} name={name} isChosen={method === chosen} onChoose={() => onPick(method.id)}>
            <span className="flex flex-wrap items-center justify-between gap-x-3 gap-y-1">
              <span className="font-semibold">{t.methods[method.id]?.name ?? method.name}</span>
              {isDemo(methods) && <Outcome method={method} />}
            </span>
            <span className="text-sm text-muted">{t.methods[method.id]?.text ?? method.description}</span>
          </RadioCard>
        ))}
      </fieldset>
      <div>
        <Button look="primary" onClick={() => onDone(chosen.id)}>
          {t.toReview}
        </Button>
      </div>
    </div>
  );
}

function Outcome({ method }: { method: PaymentMethod }) {
  const t = useMessages(messages);
  return method.outcome === "confirmed" ? (
    <Badge tone="good">{t.outcomeConfirmed}</Badge>
  ) : (
    <Badge tone="bad" sign="↩">
      {t.outcomeUndone}
    </Badge>
  );
}

/** Returns the name of a payment method in the current language. */
export function usePaymentName(id: string): string {
  const t = useMessages(messages);
  const { data: methods } = useQuery(paymentMethodsQuery);
  return t.methods[id]?.name ?? methods?.find((method) => method.id === id)?.name ?? id;
}
