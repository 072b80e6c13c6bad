import { zodResolver } from "@hookform/resolvers/zod";
import { type ReactNode, useState } from "react";
import { type FieldValues, type Path, useForm, type UseFormReturn } from "react-hook-form";

import { useMessages } from "@/i18n";
import { Problem } from "@/problem";

import { Button } from "./button";
import { Dialog } from "./dialog";
import { TextField } from "./field";
import { formMessages } from "./formMessages";
import { notify } from "./live";
import { Failure } from "./states";
import { z } from "./zod";

interface Common {
  title: string;
  description?: string;
  /** The label of the submit button. */
  submit: string;
  look?: "primary" | "danger";
  /** The notification after success. */
  done: string;
  onClose: () => void;
  children?: ReactNode;
}

interface Props<In extends FieldValues, Out> extends Common {
  /** Shown below an error, for example a button that resolves it. */
  remedy?: ReactNode;
  form: UseFormReturn<In, unknown, Out>;
  onSubmit: (values: Out) => Promise<unknown>;
}

/** A dialog with a form. It shows errors of the API at their fields or above the buttons, and closes on success. */
export function FormDialog<In extends FieldValues, Out>({
  title,
  description,
  submit,
  look = "primary",
  done,
  onClose,
  form,
  onSubmit,
  remedy,
  children,
}: Props<In, Out>) {
  const t = useMessages(formMessages);
  const [failure, setFailure] = useState<unknown>();
  const send = form.handleSubmit(async (values) => {
    setFailure(undefined);
    try {
      await onSubmit(values);
    } catch (error) {
      if (!(error instanceof Problem && showAtFields(form, error))) setFailure(error);
      return;
    }
    notify(done);
    onClose();
  });
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={title} {...(description ? { description } : {})}>
      <form noValidate onSubmit={(event) => void send(event)} className="grid gap-4">
        {children}
        {failure !== undefined && <Failure error={failure} />}
        {failure !== undefined && remedy}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t.cancel}</Button>
          <Button type="submit" look={look} busy={form.formState.isSubmitting}>
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Shows the errors of a problem at their fields. Returns false, and shows none, if any error has no field. */
function showAtFields<In extends FieldValues, Out>(form: UseFormReturn<In, unknown, Out>, problem: Problem): boolean {
  const fields = form.getValues();
  const found = problem.errors.map(({ pointer, detail }) => ({ name: pointer.split("/")[1] ?? "", detail }));
  if (found.length === 0 || found.some(({ name }) => !(name in fields))) return false;
  for (const [index, { name, detail }] of found.entries()) {
    form.setError(name as Path<In>, { message: detail }, { shouldFocus: index === 0 });
  }
  return true;
}

/** Validates a reason as the API does: required, and at most `most` characters. */
export function reasonSchema(t: { reasonNeeded: string; tooLong: (most: number) => string }, most = 500) {
  return z.string().trim().min(1, t.reasonNeeded).max(most, t.tooLong(most));
}

/** A dialog for an action that only needs a reason. */
export function ReasonDialog({ act, ...dialog }: Common & { act: (reason: string) => Promise<unknown> }) {
  const t = useMessages(formMessages);
  const form = useForm({
    resolver: zodResolver(z.object({ reason: reasonSchema(t) })),
    defaultValues: { reason: "" },
  });
  return (
    <FormDialog {...dialog} form={form} onSubmit={({ reason }) => act(reason)}>
      {dialog.children}
      <TextField
        label={t.reason}
        hint={t.reasonHint}
        autoComplete="off"
        error={form.formState.errors.reason?.message}
        {...form.register("reason")}
      />
    </FormDialog>
  );
}
