import { zodResolver } from "@hookform/resolvers/zod";
import { type ReactNode, useMemo, useState } from "react";
import { useForm } from "react-hook-form";

import type { Schemas } from "@/api/client";
import { useLocale, useMessages } from "@/i18n";
import { Button } from "@/ui/button";
import { SelectField, TextField } from "@/ui/field";
import { showAtFields } from "@/ui/serverErrors";
import { Failure } from "@/ui/states";
import { z } from "@/ui/zod";

import { countries } from "./countries";
import { messages } from "./messages";

/** A postal address as the API accepts it. */
export type Address = Schemas["Address"];

const FIELDS = ["name", "line1", "line2", "postal_code", "city", "region", "country", "phone"] as const;

interface Props {
  /** The initial values of the fields. */
  initial?: Partial<Address> | undefined;
  /** The label of the submit button. */
  action: string;
  /** Receives the valid address. If it throws, the error is shown at its fields or above the form. */
  onSubmit: (address: Address) => Promise<unknown>;
  onCancel?: (() => void) | undefined;
  /** Called with the current values on every change. */
  onEdit?: ((fields: Partial<Address>) => void) | undefined;
  /** Rendered between the fields and the buttons. */
  children?: ReactNode;
}

/** A form for a postal address. The account and the checkout use it. */
export function AddressForm({ initial, action, onSubmit, onCancel, onEdit, children }: Props) {
  const t = useMessages(messages);
  const { locale } = useLocale();
  const schema = useMemo(() => addressSchema(t), [t]);
  const all = useMemo(() => countries(locale), [locale]);
  const [failure, setFailure] = useState<unknown>();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: {
      name: initial?.name ?? "",
      line1: initial?.line1 ?? "",
      line2: initial?.line2 ?? "",
      postal_code: initial?.postal_code ?? "",
      city: initial?.city ?? "",
      region: initial?.region ?? "",
      country: initial?.country ?? "DE",
      phone: initial?.phone ?? "",
    },
  });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (fields) => {
    setFailure(undefined);
    try {
      const { line2, region, phone, ...rest } = fields;
      await onSubmit({ ...rest, ...(line2 && { line2 }), ...(region && { region }), ...(phone && { phone }) });
    } catch (error) {
      setFailure(showAtFields(error, FIELDS, form.setError));
    }
  });
  return (
    <form
      noValidate
      onSubmit={(event) => void submit(event)}
      onChange={() => onEdit?.(form.getValues())}
      className="grid gap-4"
    >
      {failure !== undefined && <Failure error={failure} />}
      <TextField
        {...form.register("name")}
        label={t.recipient}
        autoComplete="name"
        required
        error={errors.name?.message}
      />
      <TextField
        {...form.register("line1")}
        label={t.line1}
        autoComplete="address-line1"
        required
        error={errors.line1?.message}
      />
      <TextField
        {...form.register("line2")}
        label={t.optional(t.line2)}
        autoComplete="address-line2"
        error={errors.line2?.message}
      />
      <div className="grid grid-cols-[1fr_2fr] gap-4">
        <TextField
          {...form.register("postal_code")}
          label={t.postalCode}
          autoComplete="postal-code"
          required
          error={errors.postal_code?.message}
        />
        <TextField
          {...form.register("city")}
          label={t.city}
          autoComplete="address-level2"
          required
          error={errors.city?.message}
        />
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField
          {...form.register("country")}
          label={t.country}
          autoComplete="country"
          required
          error={errors.country?.message}
        >
          {all.map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </SelectField>
        <TextField
          {...form.register("region")}
          label={t.optional(t.region)}
          autoComplete="address-level1"
          error={errors.region?.message}
        />
      </div>
      <TextField
        {...form.register("phone")}
        label={t.optional(t.phone)}
        type="tel"
        autoComplete="tel"
        error={errors.phone?.message}
      />
      {children}
      <div className="flex flex-wrap gap-3">
        <Button type="submit" look="primary" busy={isSubmitting}>
          {action}
        </Button>
        {onCancel && <Button onClick={onCancel}>{t.cancel}</Button>}
      </div>
    </form>
  );
}

/** The same rules as on the server. */
function addressSchema(t: { needed: string; tooLong: (most: number) => string }) {
  const needed = z.string().trim().min(1, t.needed).max(200, t.tooLong(200));
  const optional = z.string().trim().max(200, t.tooLong(200));
  return z.object({
    name: needed,
    line1: needed,
    line2: optional,
    postal_code: needed,
    city: needed,
    region: optional,
    country: z.string().regex(/^[A-Z]{2}$/, t.needed),
    phone: optional,
  });
}
