import createClient, { type Middleware } from "openapi-fetch";

import { preferredLocale } from "@/i18n";
import { Problem, problemOf, unreachable } from "@/problem";
import { session } from "@/session/session";
import { watchResponses } from "@/telemetry";

import type { components, paths } from "./schema";

/** The schemas of the API, by their names in the OpenAPI document. */
export type Schemas = components["schemas"];

/** Routes that return the same to every user, so their requests need no token and do not wait for the session. */
const PUBLIC = /^\/v1\/(products|products\/\{sku\}(\/availability)?|categories|faults|payment-methods)$/;

const authentication: Middleware = {
  async onRequest({ request, schemaPath }) {
    // The API must answer in the page's language, which may differ from the browser's.
    if (!request.headers.has("accept-language")) request.headers.set("accept-language", preferredLocale());
    if (request.method === "GET" && PUBLIC.test(schemaPath)) return;
    const token = await session.token();
    if (token) request.headers.set("authorization", `Bearer ${token}`);
  },
};

/** Sends a request. On 401 it renews the token and retries once, for the same user only. */
export async function send(request: Request): Promise<Response> {
  const retry = request.headers.has("authorization") ? request.clone() : undefined;
  const response = await fetch(request);
  const refused = request.headers.get("authorization")?.slice("Bearer ".length);
  if (response.status !== 401 || !retry || !refused) return response;
  const token = await session.renew(refused);
  if (!token) return response;
  retry.headers.set("authorization", `Bearer ${token}`);
  return await fetch(retry);
}

/** The public API, typed by its OpenAPI document. Wrap calls in {@link call}. */
export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: send });
api.use(authentication, watchResponses);

/** Returns the body of a successful response. Throws a {@link Problem} for any other response, and for a failed connection. */
export async function call<T>(request: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  let result;
  try {
    result = await request;
  } catch (cause) {
    if (cause instanceof Problem || (cause instanceof DOMException && cause.name === "AbortError")) throw cause;
    throw unreachable(cause);
  }
  const { data, error, response } = result;
  if (!response.ok) throw problemOf(response, error);
  // A 204 has no body; `T` is `undefined` then.
  return data as T;
}
