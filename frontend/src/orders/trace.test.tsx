import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";

import { Trace } from "./trace";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const shown = (answer: Response) => {
  vi.stubGlobal("fetch", async () => answer);
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={queries}>
      <Trace id="abc" />
    </QueryClientProvider>,
  );
  return { queries, link: screen.getByRole("link", { name: /Jaeger/ }) };
};

it("leads to the Jaeger of this system, wherever it is", async () => {
  const { link } = shown(Response.json({ jaeger_port: 23456 }));
  await waitFor(() => expect(link).toHaveAttribute("href", "http://localhost:23456/trace/abc"));
});

it("leads to where Jaeger usually is if nothing is said", async () => {
  const { queries, link } = shown(new Response(null, { status: 404 }));
  await waitFor(() => expect(queries.getQueryState(["settings"])?.status).toBe("error"));
  expect(link).toHaveAttribute("href", "http://localhost:16686/trace/abc");
});
