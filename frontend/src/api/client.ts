import createClient, { type Middleware } from "openapi-fetch";

import { preferredLocale } from "@/i18n";
import { session } from "@/session/session";
import { watch } from "@/telemetry";

import { Problem, problemOf, unreachable } from "./problem";
import type { components, paths } from "./schema";

/** The API's own shapes, by the names of its document. */
export type Schemas = components["schemas"];

/** What is the same for everybody does not wait until it is known who is here. */
const PUBLIC = /^\/v1\/(products|products\/\{sku\}(\/availability)?|categories|faults|payment-methods)$/;

const caller: Middleware = {
  async onRequest({ request, schemaPath }) {
    // Texts come in the language of the page rather than of the browser.
    if (!request.headers.has("accept-language")) request.headers.set("accept-language", preferredLocale());
    if (request.method === "GET" && PUBLIC.test(schemaPath)) return;
    const token = await session.token();
    if (token) request.headers.set("authorization", `Bearer ${token}`);
  },
};

/** Sends, and once more with a fresh token where this one was not good any more. */
export async function send(request: Request): Promise<Response> {
  const again = request.headers.has("authorization") ? request.clone() : undefined;
  const response = await fetch(request);
  const refused = request.headers.get("authorization")?.slice("Bearer ".length);
  if (response.status !== 401 || !again || !refused) return response;
  const token = await session.renew(refused);
  if (!token) return response;
  again.headers.set("authorization", `Bearer ${token}`);
  return await fetch(again);
}

/** The public API, typed by its OpenAPI document. Wrap calls in {@link call}. */
export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: send });
api.use(caller, watch);

/** The body of a successful answer; everything else is thrown as a {@link Problem}. */
export async function call<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result;
  try {
    result = await answer;
  } catch (cause) {
    if (cause instanceof Problem || (cause instanceof DOMException && cause.name === "AbortError")) throw cause;
    throw unreachable(cause);
  }
  const { data, error, response } = result;
  if (!response.ok) throw problemOf(response, error);
  // A 204 has no body, and its type says so.
  return data as T;
}
