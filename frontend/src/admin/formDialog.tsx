import { zodResolver } from "@hookform/resolvers/zod";
import { type ReactNode, useState } from "react";
import { type FieldValues, type Path, useForm, type UseFormReturn } from "react-hook-form";
import { z } from "@/ui/zod";

import { Problem } from "@/api/problem";
import { useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { notify } from "@/ui/live";
import { Failure } from "@/ui/states";

import { messages } from "./messages";

interface Common {
  title: string;
  description?: string;
  /** What the button says that does it. */
  submit: string;
  look?: "primary" | "danger";
  /** What is said when it is done. */
  done: string;
  onClose: () => void;
  children?: ReactNode;
}

interface Props<In extends FieldValues, Out> extends Common {
  /** What can be done about a failure, where there is something. */
  remedy?: ReactNode;
  form: UseFormReturn<In, unknown, Out>;
  onSubmit: (values: Out) => Promise<unknown>;
}

/** Every action of the back office: its fields, what the server says to it, and a way out. */
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
  const t = useMessages(messages);
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

/** Puts what is wrong where it is wrong; false where some of it has no field. */
function showAtFields<In extends FieldValues, Out>(form: UseFormReturn<In, unknown, Out>, problem: Problem): boolean {
  const fields = form.getValues();
  const found = problem.errors.map(({ pointer, detail }) => ({ name: pointer.split("/")[1] ?? "", detail }));
  if (found.length === 0 || found.some(({ name }) => !(name in fields))) return false;
  for (const [index, { name, detail }] of found.entries()) {
    form.setError(name as Path<In>, { message: detail }, { shouldFocus: index === 0 });
  }
  return true;
}

/** A reason for the log, as the API takes it. */
export function reasonSchema(t: { reasonNeeded: string; tooLong: (most: number) => string }, most = 500) {
  return z.string().trim().min(1, t.reasonNeeded).max(most, t.tooLong(most));
}

/** An action that needs nothing but a reason. */
export function ReasonDialog({ act, ...dialog }: Common & { act: (reason: string) => Promise<unknown> }) {
  const t = useMessages(messages);
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
