import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { FakeUsers } from "./fakes";
import { session } from "./session";
import { useResetOnUserChange } from "./useSession";

const users = new FakeUsers();
beforeEach(() => users.server.listen());
afterEach(() => users.server.close());

function Greeting() {
  // As on a real page, the query does not depend on the user; the token determines whose data it returns.
  const { data } = useQuery({ queryKey: ["account"], queryFn: () => Promise.resolve(session.current()?.userId) });
  return <p>{data ?? "loading"}</p>;
}

function Answer({ ask }: { ask: () => Promise<string> }) {
  return <p>{useQuery({ queryKey: ["account"], queryFn: ask }).data}</p>;
}

function Shell({ children }: { children: ReactNode }) {
  useResetOnUserChange();
  return children;
}

test("a request that waited for the session to be resumed is not sent twice", async () => {
  await session.signIn({ email: "ada", password: "right" });
  session.end();
  localStorage.setItem("souk.session", "1 customer");
  const release = users.holdRefresh();
  const resumed = session.resume();
  const ask = vi.fn<() => Promise<string>>(async () => `token of ${(await session.token()) ? session.current()?.userId : "guest"}`);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Shell>
        <Answer ask={ask} />
      </Shell>
    </QueryClientProvider>,
  );
  release();
  await resumed;
  await screen.findByText("token of ada");
  expect(ask).toHaveBeenCalledTimes(1);
});

test("a user never sees the previous user's data", async () => {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000 } } });
  queries.setQueryData(["catalog", "products"], "public");
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
  expect(queries.getQueryData(["catalog", "products"])).toBe("public");
});
