import { useState } from "react";

import { useMessages } from "@/i18n";
import { SelectField } from "@/ui/field";
import { ReasonDialog } from "@/ui/formDialog";

import type { Outcome } from "./actions";
import { messages } from "./messages";

interface Props {
  outcomes: readonly Outcome[];
  act: (resolution: { outcome: Outcome; reason: string }) => Promise<unknown>;
  onClose: () => void;
}

/** A dialog in which an operator records how a parked step ended. */
export function ResolveDialog({ outcomes, act, onClose }: Props) {
  const t = useMessages(messages);
  const [outcome, setOutcome] = useState<Outcome>("done");
  return (
    <ReasonDialog
      title={t.resolve}
      description={t.resolveText}
      submit={t.resolve}
      done={t.acted}
      onClose={onClose}
      act={(reason) => act({ outcome, reason })}
    >
      <SelectField label={t.outcome} value={outcome} onChange={({ target }) => setOutcome(target.value as Outcome)}>
        {outcomes.map((known) => (
          <option key={known} value={known}>
            {t.outcomes[known]}
          </option>
        ))}
      </SelectField>
    </ReasonDialog>
  );
}
