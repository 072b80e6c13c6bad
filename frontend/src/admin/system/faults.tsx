import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { useFaultTexts } from "@/layout/faultTexts";
import { Problem } from "@/problem";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { SelectField } from "@/ui/field";
import { ReasonDialog } from "@/ui/formDialog";
import { Page } from "@/ui/page";
import { Empty, Failure } from "@/ui/states";

import type { Fault } from "../api";
import { TableSkeleton } from "../list";
import { messages as common } from "../messages";
import { useNow } from "../useNow";
import { messages } from "./messages";

const DURATIONS = [30, 60, 300];

/** `/admin/faults`: switches for the faults of the demo. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const [open, setOpen] = useState<Fault>();
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "faults"],
    queryFn: ({ signal }) => call(api.GET("/v1/admin/faults", { signal })),
    refetchInterval: 5_000,
  });
  const translate = useFaultTexts();
  return (
    <Page title={t.faults} lead={t.faultsLead}>
      {data ? (
        <ul className="grid gap-4 md:grid-cols-2">
          {data.items.map((fault) => (
            <li key={fault.name} className="grid">
              <Switch fault={translate(fault)} onChange={() => setOpen(translate(fault))} />
            </li>
          ))}
        </ul>
      ) : error instanceof Problem && error.kind === "not-in-demo-mode" ? (
        <Empty title={t.noFaults}>{t.noFaultsText}</Empty>
      ) : error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : (
        <TableSkeleton label={words.loading} rows={5} />
      )}
      {open && <FaultDialog fault={open} onClose={() => setOpen(undefined)} />}
    </Page>
  );
}

/** Formats a remaining time as minutes and seconds: `4:05`. */
function formatCountdown(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Returns the remaining time of the fault in milliseconds, or `undefined` if it is off. */
function useRemaining({ until }: Fault): number | undefined {
  const remaining = Date.parse(until ?? "") - useNow(1_000);
  return remaining > 0 ? remaining : undefined;
}

function Switch({ fault, onChange }: { fault: Fault; onChange: () => void }) {
  const t = useMessages(messages);
  const remaining = useRemaining(fault);
  return (
    <Card className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lg font-semibold">{fault.title}</h2>
        {remaining === undefined ? (
          <Badge tone="neutral">{t.off}</Badge>
        ) : (
          <Badge tone="bad" sign="⚡">
            <span className="num">
              {t.on}, {t.endsIn(formatCountdown(remaining))}
            </span>
          </Badge>
        )}
      </div>
      <div className="flex-1 text-sm text-muted">
        <p>{fault.description}</p>
        {fault.reason && <p className="mt-1 text-ink">{t.because(fault.reason)}</p>}
      </div>
      <div>
        <Button look={remaining === undefined ? "danger" : "secondary"} onClick={onChange}>
          {remaining === undefined ? t.turnOn : t.turnOff}
        </Button>
      </div>
    </Card>
  );
}

function FaultDialog({ fault, onClose }: { fault: Fault; onClose: () => void }) {
  const t = useMessages(messages);
  const format = useFormat();
  const queries = useQueryClient();
  const [seconds, setSeconds] = useState(60);
  // The dialog keeps its action even if the fault ends while it is open.
  const [isOn] = useState(() => Date.parse(fault.until ?? "") > Date.now());
  return (
    <ReasonDialog
      title={isOn ? t.turnOffTitle(fault.title) : t.turnOnTitle(fault.title)}
      description={fault.description}
      submit={isOn ? t.turnOff : t.turnOn}
      look={isOn ? "primary" : "danger"}
      done={isOn ? t.turnedOff : t.turnedOn}
      onClose={onClose}
      act={async (reason) => {
        const body = { name: fault.name, seconds: isOn ? 0 : seconds, reason };
        queries.setQueryData(["admin", "faults"], await call(api.PUT("/v1/admin/faults", { body })));
        // Updates the banner that every page shows.
        await queries.invalidateQueries({ queryKey: ["catalog", "faults"] });
      }}
    >
      {!isOn && (
        <SelectField label={t.duration} value={seconds} onChange={({ target }) => setSeconds(Number(target.value))}>
          {DURATIONS.map((choice) => (
            <option key={choice} value={choice}>
              {format.duration(choice * 1000)}
            </option>
          ))}
        </SelectField>
      )}
    </ReasonDialog>
  );
}
