import type { Middleware } from "openapi-fetch";

import type { Traced } from "./traced";

let tracing: Traced = (_name, work) => work((send) => send());
let isLoading = false;

/** Records a user action as the root of a trace. Until tracing is loaded, it only runs `work`. */
export const traced: Traced = (name, work) => tracing(name, work);

/** Whether the server records this request's trace (`traceresponse`, W3C Trace Context level 2). */
function isRecorded(response: Response): boolean {
  return response.headers.get("traceresponse")?.endsWith("-01") ?? false;
}

/** Loads the tracing library after the first response that the server records. Otherwise nothing is loaded or sent. */
export const watchResponses: Middleware = {
  onResponse({ response }) {
    if (isLoading || !isRecorded(response)) return;
    isLoading = true;
    // After the response has been painted. The shop also works if loading fails.
    requestAnimationFrame(() => setTimeout(() => void load().catch(() => undefined)));
  },
};

async function load(): Promise<void> {
  const { startTracing } = await import("./tracing");
  tracing = startTracing(isRecorded);
}
