import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, call, type Schemas } from "@/api/client";
import { useMessages } from "@/i18n";
import { useFormat } from "@/i18n/format";
import { useSession } from "@/session/useSession";
import { Badge } from "@/ui/badge";
import { Button, ButtonLink } from "@/ui/button";
import { ReasonDialog } from "@/ui/formDialog";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";

import { ListTable, usePages } from "../list";
import { messages as common } from "../messages";
import { Search, useSearchTerm } from "../search";
import { messages } from "./messages";

type User = Schemas["UserDetails"];
type Change = "promote" | "demote" | "disable" | "enable";

/** The request body for each change. */
const CHANGES: Record<Change, Schemas["PatchUser"]> = {
  promote: { roles: ["customer", "admin"] },
  demote: { roles: ["customer"] },
  disable: { disabled: true },
  enable: { disabled: false },
};

/** `/admin/users`: all accounts, with actions to change roles and to disable them. */
export function Component() {
  const t = useMessages(messages);
  const words = useMessages(common);
  const format = useFormat();
  const queries = useQueryClient();
  const me = useSession()?.userId;
  const [open, setOpen] = useState<{ change: Change; user: User }>();
  const q = useSearchTerm();
  const pages = usePages(["admin", "users", q], (cursor, signal) =>
    call(api.GET("/v1/users", { params: { query: { ...(q ? { q } : {}), ...cursor } }, signal })),
  );
  const act = (user: User, change: Change) => (
    <Button look={change === "disable" ? "danger" : "secondary"} onClick={() => setOpen({ change, user })}>
      {t[change]}
    </Button>
  );
  return (
    <Page title={t.title} lead={t.lead}>
      <Search label={t.search} />
      <ListTable
        caption={t.title}
        pages={pages}
        keyOf={({ id }) => id}
        columns={[
          {
            head: t.account,
            render: (user) => (
              <span className="grid">
                <span className="font-medium">
                  {user.name} {user.id === me && <span className="text-muted">({t.you})</span>}
                </span>
                <span className="text-xs text-muted">{user.email}</span>
              </span>
            ),
          },
          {
            head: t.roles,
            render: ({ roles }) => (
              <span className="flex gap-1.5">
                {roles.map((role) => (
                  <Badge key={role} tone={role === "admin" ? "info" : "neutral"} sign={role === "admin" ? "★" : "·"}>
                    {t.role[role]}
                  </Badge>
                ))}
              </span>
            ),
          },
          {
            head: t.state,
            render: ({ disabled, verified }) =>
              disabled ? (
                <Badge tone="bad">{t.disabled}</Badge>
              ) : verified ? (
                <Badge tone="good">{t.active}</Badge>
              ) : (
                <Badge tone="waiting">{t.unverified}</Badge>
              ),
          },
          { head: t.since, render: ({ created_at }) => <span className="whitespace-nowrap">{format.day(created_at)}</span> },
          {
            head: words.actions,
            // The server rejects changes to the own account, so that operators cannot lock themselves out.
            render: (user) =>
              user.id === me ? (
                <span className="text-muted">{t.own}</span>
              ) : (
                <div className="flex gap-2">
                  {act(user, user.roles.includes("admin") ? "demote" : "promote")}
                  {act(user, user.disabled ? "enable" : "disable")}
                </div>
              ),
          },
        ]}
        empty={
          <Empty title={t.none} action={<ButtonLink to="/admin/users">{words.showAll}</ButtonLink>}>
            {t.noneText}
          </Empty>
        }
      />
      {open && (
        <ReasonDialog
          title={`${t[open.change]}: ${open.user.name}`}
          description={t[`${open.change}Text`]}
          submit={t[open.change]}
          look={open.change === "disable" || open.change === "demote" ? "danger" : "primary"}
          done={t.changed(open.user.name)}
          onClose={() => setOpen(undefined)}
          act={async (reason) => {
            const body = { ...CHANGES[open.change], reason };
            await call(api.PATCH("/v1/users/{id}", { params: { path: { id: open.user.id } }, body }));
            await queries.invalidateQueries({ queryKey: ["admin", "users"] });
          }}
        />
      )}
    </Page>
  );
}
