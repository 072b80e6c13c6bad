import { useState } from "react";
import { Link } from "react-router";

import { api, call } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { Button, ButtonLink } from "@/ui/button";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";

import { ListTable, usePages } from "../list";
import { messages as common } from "../messages";
import { Search, useSearchTerm } from "../search";
import { AdjustDialog } from "./adjustDialog";
import { Level } from "./levels";
import { messages } from "./messages";
import { CreateDialog, EditDialog, ENGLISH, type Product, RemoveDialog } from "./productDialogs";

type Open = { kind: "create" } | { kind: "adjust" | "edit" | "remove"; product: Product };

/** `/admin/stock`: the products with their stock levels, and dialogs to change them. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const format = useFormat();
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const q = useSearchTerm();
  const pages = usePages(["admin", "products", q], (cursor, signal) =>
    call(
      api.GET("/v1/products", {
        params: { query: { ...(q ? { q } : {}), ...cursor } },
        headers: ENGLISH,
        signal,
      }),
    ),
  );
  return (
    <Page
      title={t.title}
      lead={t.lead}
      actions={
        <Button look="primary" onClick={() => setOpen({ kind: "create" })}>
          {t.create}
        </Button>
      }
    >
      <Search label={t.search} />
      <ListTable
        caption={t.title}
        pages={pages}
        keyOf={({ sku }) => sku}
        columns={[
          {
            head: t.product,
            render: (product) => (
              <span className="flex min-w-52 items-center gap-3">
                <img src={product.image} alt="" width={40} height={40} loading="lazy" className="size-10 rounded-lg" />
                <span className="grid">
                  <Link to={`/products/${product.sku}`} className="font-medium underline-offset-4 hover:underline">
                    {product.name}
                  </Link>
                  <code className="text-xs text-muted">{product.sku}</code>
                </span>
              </span>
            ),
          },
          { head: t.price, isNumber: true, render: (product) => format.money(product.price) },
          { head: t.onHand, isNumber: true, render: ({ sku }) => <Level sku={sku} of="on_hand" /> },
          { head: t.available, isNumber: true, render: ({ sku }) => <Level sku={sku} of="available" /> },
          { head: t.held, isNumber: true, render: ({ sku }) => <Level sku={sku} of="held" /> },
          { head: t.committed, isNumber: true, render: ({ sku }) => <Level sku={sku} of="committed" /> },
          {
            head: words.actions,
            render: (product) => (
              <div className="flex gap-1">
                <Button onClick={() => setOpen({ kind: "adjust", product })}>{t.adjust}</Button>
                <Button look="quiet" onClick={() => setOpen({ kind: "edit", product })}>
                  {t.edit}
                </Button>
                <Button look="quiet" onClick={() => setOpen({ kind: "remove", product })}>
                  {t.remove}
                </Button>
              </div>
            ),
          },
        ]}
        empty={
          <Empty title={t.none} action={<ButtonLink to="/admin/stock">{words.showAll}</ButtonLink>}>
            {t.noneText}
          </Empty>
        }
      />
      {open?.kind === "create" && <CreateDialog onClose={close} />}
      {open?.kind === "adjust" && <AdjustDialog product={open.product} onClose={close} />}
      {open?.kind === "edit" && <EditDialog product={open.product} onClose={close} />}
      {open?.kind === "remove" && <RemoveDialog product={open.product} onClose={close} />}
    </Page>
  );
}
