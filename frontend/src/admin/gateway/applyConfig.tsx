import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";

import { useMessages } from "@/i18n";
import { Problem } from "@/problem";
import { Button } from "@/ui/button";
import { Card } from "@/ui/card";
import { Dialog } from "@/ui/dialog";
import { TextArea } from "@/ui/field";
import { notify } from "@/ui/live";
import { Failure } from "@/ui/states";

import { applyConfig, CONFIG_KEY } from "./api";
import { lineRange, placeOf } from "./configError";
import { messages } from "./messages";

/** A form that replaces the configuration by a pasted one, after a confirmation. */
export function ApplyConfig() {
  const t = useMessages(messages);
  const queries = useQueryClient();
  const [yaml, setYaml] = useState("");
  const [isEmpty, setIsEmpty] = useState(false);
  const [isConfirming, setIsConfirming] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const change = useMutation({
    mutationFn: applyConfig,
    onSuccess: async (state) => {
      queries.setQueryData(CONFIG_KEY, state);
      setYaml("");
      notify(t.applied);
      await queries.invalidateQueries({ queryKey: ["admin", "gateway"] });
    },
    // The refused attempt is in the list as well.
    onError: () => queries.invalidateQueries({ queryKey: CONFIG_KEY }),
    onSettled: () => setIsConfirming(false),
  });
  const goTo = (line: number) => {
    const [start, end] = lineRange(yaml, line);
    field.current?.focus();
    field.current?.setSelectionRange(start, end);
  };
  return (
    <Card>
      <form
        noValidate
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.reset();
          const hasText = yaml.trim() !== "";
          setIsEmpty(!hasText);
          if (hasText) setIsConfirming(true);
          else field.current?.focus();
        }}
      >
        <div>
          <h2 className="text-xl font-semibold">{t.apply}</h2>
          <p className="max-w-prose text-sm text-muted">{t.applyText}</p>
        </div>
        <TextArea
          ref={field}
          label={t.yaml}
          rows={10}
          wrap="off"
          spellCheck={false}
          autoComplete="off"
          autoCapitalize="off"
          className="[&_textarea]:font-mono [&_textarea]:text-sm"
          value={yaml}
          error={isEmpty ? t.yamlNeeded : undefined}
          onChange={({ target }) => setYaml(target.value)}
        />
        {change.error && <Refused error={change.error} yaml={change.variables} onGoTo={goTo} />}
        <div>
          <Button type="submit" look="primary">
            {t.checkAndApply}
          </Button>
        </div>
      </form>
      {isConfirming && (
        <Dialog open onOpenChange={setIsConfirming} title={t.confirmTitle} description={t.confirmText}>
          <p className="text-sm text-muted">{t.lines(yaml.trimEnd().split("\n").length)}</p>
          <div className="flex flex-wrap justify-end gap-3">
            <Button onClick={() => setIsConfirming(false)}>{t.cancel}</Button>
            <Button look="danger" busy={change.isPending} onClick={() => change.mutate(yaml)}>
              {t.checkAndApply}
            </Button>
          </div>
        </Dialog>
      )}
    </Card>
  );
}

/** Why the configuration was refused, with the line of the error. */
function Refused({ error, yaml, onGoTo }: { error: Error; yaml: string; onGoTo: (line: number) => void }) {
  const t = useMessages(messages);
  if (!(error instanceof Problem) || error.status !== 422) return <Failure error={error} />;
  const place = placeOf(error.message);
  return (
    <div role="alert" className="grid gap-2 rounded-2xl border border-clay/40 bg-clay-soft p-5 text-ink">
      <p className="font-semibold">{t.refused}</p>
      <p className="break-words">
        {place && <strong>{t.atPlace(place.line, place.column)}: </strong>}
        {place?.message ?? error.message}
      </p>
      {place && (
        <>
          <pre className="overflow-x-auto rounded-lg bg-surface px-3 py-2 text-sm" aria-hidden>
            {`${place.line} │ ${yaml.slice(...lineRange(yaml, place.line))}`}
            {`\n${" ".repeat(String(place.line).length)} │ ${" ".repeat(place.column - 1)}^`}
          </pre>
          <div>
            <Button onClick={() => onGoTo(place.line)}>{t.goTo(place.line)}</Button>
          </div>
        </>
      )}
    </div>
  );
}
