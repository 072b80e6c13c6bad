import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, test } from "vitest";

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

function Shell({ children }: { children: ReactNode }) {
  useForgetOthers();
  return children;
}

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
