import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";

import { Trace } from "./trace";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const show = (response: Response) => {
  vi.stubGlobal("fetch", async () => response);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={queries}>
      <Trace id="abc" />
    </QueryClientProvider>,
  );
  return { queries, link: screen.getByRole("link", { name: /Jaeger/ }) };
};

it("links to the port in the settings", async () => {
  const { link } = show(Response.json({ jaeger_port: 23456 }));
  await waitFor(() => expect(link).toHaveAttribute("href", "http://localhost:23456/trace/abc"));
});

it("links to the default port if there are no settings", async () => {
  const { queries, link } = show(new Response(null, { status: 404 }));
  await waitFor(() => expect(queries.getQueryState(["settings"])?.status).toBe("error"));
  expect(link).toHaveAttribute("href", "http://localhost:16686/trace/abc");
});
