import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { FakeUsers } from "./fakes";
import { session } from "./session";
import { useForgetOthers } from "./useSession";

const users = new FakeUsers();
beforeEach(() => users.server.listen());
afterEach(() => users.server.close());

function Greeting() {
  // As a page does: it does not ask who is signed in, the token says it.
  const { data } = useQuery({ queryKey: ["account"], queryFn: () => Promise.resolve(session.current()?.userId) });
  return <p>{data ?? "loading"}</p>;
}

function Answer({ ask }: { ask: () => Promise<string> }) {
  return <p>{useQuery({ queryKey: ["account"], queryFn: ask }).data}</p>;
}

function Shell({ children }: { children: ReactNode }) {
  useForgetOthers();
  return children;
}

test("what was asked before it was known who is here is not asked twice", async () => {
  await session.signIn({ email: "ada", password: "right" });
  session.end();
  localStorage.setItem("souk.session", "1 customer");
  const open = users.close();
  const arrival = session.resume();
  const ask = vi.fn<() => Promise<string>>(async () => `token of ${(await session.token()) ? session.current()?.userId : "nobody"}`);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Shell>
        <Answer ask={ask} />
      </Shell>
    </QueryClientProvider>,
  );
  open();
  await arrival;
  await screen.findByText("token of ada");
  expect(ask).toHaveBeenCalledTimes(1);
});

test("another user never sees what was asked for the one before", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
  queries.setQueryData(["catalog", "products"], "everybody's");
  await session.signIn({ email: "ada", password: "right" });
  render(
    <QueryClientProvider client={queries}>
      <Shell>
        <Greeting />
      </Shell>
    </QueryClientProvider>,
  );
  await screen.findByText("ada");
  queries.setQueryData(["orders"], "Ada's");
  await session.signIn({ email: "eve", password: "right" });
  await screen.findByText("eve");
  expect(queries.getQueryData(["orders"])).toBeUndefined();
  expect(queries.getQueryData(["catalog", "products"])).toBe("everybody's");
});
