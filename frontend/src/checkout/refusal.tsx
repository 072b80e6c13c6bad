import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { ButtonLink } from "@/ui/button";
import { Failure } from "@/ui/states";

import { messages } from "./messages";
import type { LineChange } from "./placeOrder";

interface Props {
  error: unknown;
  changes: readonly LineChange[];
  /** Retries the order; given if the error may be temporary. */
  onRetry?: (() => void) | undefined;
}

/** Explains why the order was not placed and links to the step that can fix it. */
export function Refusal({ error, changes, onRetry }: Props) {
  const t = useMessages(messages);
  const problem = error instanceof Problem ? error : undefined;
  if (problem?.kind === "cart-changed") {
    return (
      <div role="alert" className="grid gap-2 rounded-2xl border border-saffron/40 bg-saffron-soft p-5">
        <p className="font-semibold">{changes.length > 0 ? t.cartChanged : t.cartChangedSame}</p>
        <ul className="list-disc pl-5">
          {changes.map(({ name, before, after }) => (
            <li key={name}>
              {before === 0 ? t.lineAdded(name, after) : after === 0 ? t.lineGone(name) : t.lineNow(name, before, after)}
            </li>
          ))}
        </ul>
      </div>
    );
  }
  const fix = problem && fixFor(problem);
  return (
    <div className="grid gap-3">
      <Failure error={error} onRetry={onRetry} />
      {fix && (
        <div>
          <ButtonLink to={fix.to}>{fix.step ? t.changeOf(t.stepNames[fix.step]) : t.openCart}</ButtonLink>
        </div>
      )}
    </div>
  );
}

/** Returns where the shopper can fix the error, if it concerns the address, the payment or the items. */
function fixFor({ errors }: Problem): { to: string; step?: "address" | "payment" } | undefined {
  const pointer = errors[0]?.pointer;
  if (pointer?.startsWith("/shipping_address")) return { to: "?step=address", step: "address" };
  if (pointer?.startsWith("/payment_method")) return { to: "?step=payment", step: "payment" };
  return pointer?.startsWith("/items") ? { to: "/cart" } : undefined;
}
