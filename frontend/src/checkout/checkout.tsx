import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import { Navigate, useNavigate, useSearchParams } from "react-router";

import { addressesQuery } from "@/address/addressesQuery";
import { useCart } from "@/cart/useCart";
import { useMessages } from "@/i18n";
import { useIsResuming, useSession } from "@/session/useSession";
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
import { type Step, stepOf } from "./stepOf";
import { Steps } from "./steps";

/** `/checkout`: turns the cart into an order in three steps. The draft survives a reload. */
export function Component() {
  const t = useMessages(messages);
  const user = useSession()?.userId;
  const isResuming = useIsResuming();
  return (
    <Page title={t.title}>
      {user !== undefined && <Checkout user={user} />}
      {user === undefined && (isResuming ? <CheckoutSkeleton /> : <SignInPanel />)}
    </Page>
  );
}

function Checkout({ user }: { user: string }) {
  const t = useMessages(messages);
  const [query] = useSearchParams();
  const draft = useDraft(user);
  const { cart, isPending, error, refetch } = useCart();
  const { isPending: isLoadingAddresses } = useQuery(addressesQuery);
  const requested = query.get("step");
  const step = stepOf(requested, draft);

  if (requested !== step) return <Navigate to={`?step=${step}`} replace />;
  if (error && !cart) return <Failure error={error} onRetry={refetch} />;
  // An order whose response is missing may have emptied the cart.
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
          <CurrentStep user={user} step={step} draft={draft} />
        </>
      }
      // The review step shows the lines itself. On a phone the cart is below the step, so it is shown only once the step has
      // loaded, to avoid a layout shift.
      cart={cart && !isPending && step !== "review" && !(step === "address" && isLoadingAddresses) && <LinesAndTotal cart={cart} />}
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

/** Shown while the session is being resumed. */
function CheckoutSkeleton() {
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

function CurrentStep({ user, step, draft }: { user: string; step: Step; draft: Draft }) {
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

/** Moves the focus to the step after a change of step, for keyboard and screen reader users. */
function useFocusOnStep(step: Step) {
  const section = useRef<HTMLElement>(null);
  const last = useRef(step);
  useEffect(() => {
    if (last.current !== step) section.current?.focus({ preventScroll: true });
    last.current = step;
  }, [step]);
  return section;
}
