import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import { Navigate, useNavigate, useSearchParams } from "react-router";

import { addressesQuery } from "@/account/addressesQuery";
import { useCart } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { useIsArriving, useSession } from "@/session/useSession";
import { ButtonLink } from "@/ui/button";
import { Card } from "@/ui/card";
import { Page } from "@/ui/page";
import { Empty, Failure } from "@/ui/states";

import { AddressSkeleton, AddressStep } from "./addressStep";
import { changeDraft, type Draft, useDraft } from "./draft";
import { LinesAndTotal } from "./linesAndTotal";
import { messages } from "./messages";
import { PaymentStep } from "./paymentStep";
import { ReviewStep } from "./reviewStep";
import { SignInPanel } from "./signInPanel";
import { Steps } from "./steps";
import { type Step, stepOf } from "./stepOf";

/** From the cart to an order, in three steps that survive a reload. */
export function Component() {
  const t = useMessages(messages);
  const user = useSession()?.userId;
  const isArriving = useIsArriving();
  return (
    <Page title={t.title}>
      {user !== undefined && <Checkout user={user} />}
      {user === undefined && (isArriving ? <Arriving /> : <SignInPanel />)}
    </Page>
  );
}

function Checkout({ user }: { user: string }) {
  const t = useMessages(messages);
  const [query] = useSearchParams();
  const draft = useDraft(user);
  const { cart, isPending, error, refetch } = useCart();
  const { isPending: isAsking } = useQuery(addressesQuery);
  const asked = query.get("step");
  const step = stepOf(asked, draft);

  if (asked !== step) return <Navigate to={`?step=${step}`} replace />;
  if (error && !cart) return <Failure error={error} onRetry={refetch} />;
  // An order without an answer yet may have emptied the cart.
  if (cart?.items.length === 0 && !draft.attempt) {
    return (
      <Empty
        title={t.empty}
        action={
          <ButtonLink to="/products" look="primary">
            {t.browse}
          </ButtonLink>
        }
      >
        {t.emptyText}
      </Empty>
    );
  }
  return (
    <Columns
      step={
        <>
          <Steps current={step} draft={draft} />
          <Current user={user} step={step} draft={draft} />
        </>
      }
      // The last step shows the same itself, next to its button. On a phone it is below the step, and comes after it so that
      // it is not pushed down.
      cart={cart && !isPending && step !== "review" && !(step === "address" && isAsking) && <LinesAndTotal cart={cart} />}
    />
  );
}

function Columns({ step, cart }: { step: ReactNode; cart?: ReactNode }) {
  const t = useMessages(messages);
  return (
    <div className="grid items-start gap-6 lg:grid-cols-[1fr_20rem] lg:gap-10">
      <div className="grid max-w-3xl gap-6">{step}</div>
      {cart && (
        <Card aria-label={t.items} className="lg:sticky lg:top-24">
          {cart}
        </Card>
      )}
    </div>
  );
}

/** The frame of what comes as soon as it is known who is here. */
function Arriving() {
  const t = useMessages(messages);
  return (
    <Columns
      step={
        <>
          <Steps current="address" draft={{}} />
          <div className="grid gap-4">
            <h2 className="text-2xl font-semibold">{t.addressTitle}</h2>
            <AddressSkeleton />
          </div>
        </>
      }
    />
  );
}

function Current({ user, step, draft }: { user: string; step: Step; draft: Draft }) {
  const t = useMessages(messages);
  const navigate = useNavigate();
  const section = useFocusOnStep(step);
  const { address, payment } = draft;
  const titles = { address: t.addressTitle, payment: t.paymentTitle, review: t.reviewTitle };
  return (
    <section ref={section} tabIndex={-1} aria-labelledby="step" className="grid gap-4 outline-none">
      <h2 id="step" className="text-2xl font-semibold">
        {titles[step]}
      </h2>
      {step === "address" && (
        <AddressStep
          address={address}
          typed={draft.typed}
          onType={(typed) => changeDraft(user, { typed })}
          onDone={(next) => {
            changeDraft(user, { address: next, typed: undefined });
            void navigate("?step=payment");
          }}
        />
      )}
      {step === "payment" && (
        <PaymentStep
          payment={payment}
          onPick={(next) => changeDraft(user, { payment: next })}
          onDone={(next) => {
            changeDraft(user, { payment: next });
            void navigate("?step=review");
          }}
        />
      )}
      {step === "review" && address && payment && (
        <ReviewStep user={user} address={address} payment={payment} attempt={draft.attempt} />
      )}
    </section>
  );
}

/** The next step begins at its start for those who use the keyboard or listen, too. */
function useFocusOnStep(step: Step) {
  const section = useRef<HTMLElement>(null);
  const last = useRef(step);
  useEffect(() => {
    if (last.current !== step) section.current?.focus({ preventScroll: true });
    last.current = step;
  }, [step]);
  return section;
}
