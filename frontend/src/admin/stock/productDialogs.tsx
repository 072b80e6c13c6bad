import { zodResolver } from "@hookform/resolvers/zod";
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { parseAmount, useFormat } from "@/i18n/format";
import { Problem } from "@/problem";
import { categoriesQuery } from "@/shop/catalog";
import { Button } from "@/ui/button";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { FormDialog } from "@/ui/formDialog";
import { formMessages } from "@/ui/formMessages";
import { announce, notify } from "@/ui/live";
import { z } from "@/ui/zod";

import { amountSchema, amountText } from "../amount";
import { messages } from "./messages";

/** A product with its version. */
export type Product = Schemas["Product"];

interface Props {
  product: Product;
  onClose: () => void;
}

const CURRENCIES = ["EUR", "USD", "GBP", "CHF", "JPY"];

/** Request headers for the original English texts, because only those can be edited, not their translations. */
export const ENGLISH = { "accept-language": "en" };

const etag = ({ version }: Product) => `"v${version}"`;

async function refresh(queries: QueryClient): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: ["admin", "products"] }),
    queries.invalidateQueries({ queryKey: ["catalog"] }),
  ]);
}

function useTextSchemas() {
  const words = useMessages(formMessages);
  return {
    name: z.string().trim().min(1, words.needed).max(200, words.tooLong(200)),
    description: z.string().trim().max(5000, words.tooLong(5000)),
  };
}

/** A dialog to create a product. */
export function CreateDialog({ onClose }: { onClose: () => void }) {
  const t = useMessages(messages);
  const words = useMessages(formMessages);
  const queries = useQueryClient();
  const categories = useQuery(categoriesQuery());
  const schema = z
    .object({
      sku: z.string().trim().regex(/^[\w.-]{1,64}$/, t.badSku),
      ...useTextSchemas(),
      category: z.string().min(1, words.needed),
      currency: z.string(),
      price: z.string(),
    })
    // The number of decimals depends on the currency.
    .transform(({ currency, price, ...product }, context) => {
      const amount = parseAmount(price, currency);
      if (amount) return { ...product, price: { amount, currency } };
      context.addIssue({ code: "custom", path: ["price"], message: t.noAmount });
      return z.NEVER;
    });
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { sku: "", name: "", description: "", category: "", currency: "EUR", price: "" },
  });
  const { errors } = form.formState;
  return (
    <FormDialog
      title={t.create}
      description={t.createText}
      submit={t.create}
      done={t.created}
      onClose={onClose}
      form={form}
      onSubmit={async (body) => {
        await call(api.POST("/v1/products", { body }));
        await refresh(queries);
      }}
    >
      <TextField
        label={t.sku}
        hint={t.skuHint}
        autoComplete="off"
        error={errors.sku?.message}
        {...form.register("sku")}
      />
      <TextField label={t.name} autoComplete="off" error={errors.name?.message} {...form.register("name")} />
      <SelectField label={t.category} error={errors.category?.message} {...form.register("category")}>
        <option value="">–</option>
        {categories.data?.items.map(({ slug, name }) => (
          <option key={slug} value={slug}>
            {name}
          </option>
        ))}
      </SelectField>
      <div className="grid grid-cols-[minmax(0,1fr)_8rem] gap-3">
        <TextField
          label={t.price}
          inputMode="decimal"
          autoComplete="off"
          error={errors.price?.message}
          {...form.register("price")}
        />
        <SelectField label={t.currency} {...form.register("currency")}>
          {CURRENCIES.map((currency) => (
            <option key={currency}>{currency}</option>
          ))}
        </SelectField>
      </div>
      <TextArea label={t.description} error={errors.description?.message} {...form.register("description")} />
    </FormDialog>
  );
}

/** A dialog to edit a product. If another operator has changed it meanwhile, it offers to reload it. */
export function EditDialog({ product, onClose }: Props) {
  const [current, setCurrent] = useState(product);
  return <EditForm key={current.version} product={current} onReload={setCurrent} onClose={onClose} />;
}

function EditForm({ product, onReload, onClose }: Props & { onReload: (product: Product) => void }) {
  const t = useMessages(messages);
  const format = useFormat();
  const queries = useQueryClient();
  const [isStale, setStale] = useState(false);
  const { name, description, price } = product;
  const form = useForm({
    resolver: zodResolver(z.object({ ...useTextSchemas(), price: amountSchema(price.currency, t) })),
    defaultValues: { name, description, price: amountText(price, format.locale) },
  });
  const { errors } = form.formState;
  const reload = async () => {
    try {
      const path = { sku: product.sku };
      onReload(await call(api.GET("/v1/products/{sku}", { params: { path }, headers: ENGLISH, cache: "no-store" })));
      announce(t.reloaded);
    } catch (error) {
      notify(String(error), "bad");
    }
  };
  return (
    <FormDialog
      title={t.editTitle(name)}
      submit={t.save}
      done={t.saved}
      onClose={onClose}
      form={form}
      remedy={isStale && <Button onClick={() => void reload()}>{t.reload}</Button>}
      onSubmit={async (values) => {
        const body = { ...values, price: { amount: values.price, currency: price.currency } };
        const params = { path: { sku: product.sku }, header: { "if-match": etag(product) } };
        try {
          await call(api.PATCH("/v1/products/{sku}", { params, body }));
        } catch (error) {
          if (!(error instanceof Problem && error.status === 412)) throw error;
          setStale(true);
          throw new Problem({ ...error, detail: t.stale });
        }
        await refresh(queries);
      }}
    >
      <TextField label={t.name} autoComplete="off" error={errors.name?.message} {...form.register("name")} />
      <TextField
        label={`${t.price} (${price.currency})`}
        inputMode="decimal"
        autoComplete="off"
        error={errors.price?.message}
        {...form.register("price")}
      />
      <TextArea label={t.description} rows={5} error={errors.description?.message} {...form.register("description")} />
    </FormDialog>
  );
}

/** A dialog that confirms the deletion of a product. */
export function RemoveDialog({ product, onClose }: Props) {
  const t = useMessages(messages);
  const queries = useQueryClient();
  return (
    <FormDialog
      title={t.removeTitle(product.name)}
      description={t.removeText}
      submit={t.remove}
      look="danger"
      done={t.removed}
      onClose={onClose}
      form={useForm()}
      onSubmit={async () => {
        const params = { path: { sku: product.sku }, header: { "if-match": etag(product) } };
        await call(api.DELETE("/v1/products/{sku}", { params }));
        await refresh(queries);
      }}
    />
  );
}
