import type { Middleware } from "openapi-fetch";

/** Does `work`; what is sent `within` it belongs to it in the trace. */
export type Traced = <T>(name: string, work: (within: Within) => Promise<T>) => Promise<T>;
export type Within = <T>(send: () => T) => T;

let tracing: Traced = (_name, work) => work((send) => send());
let isAsked = false;

/** Something that a person does, as the root of a trace. While nobody records it is `work` and nothing else. */
export const traced: Traced = (name, work) => tracing(name, work);

/** Whether the server records the trace of this answer (`traceresponse`, W3C Trace Context level 2). */
function isRecorded(answer: Response): boolean {
  return answer.headers.get("traceresponse")?.endsWith("-01") ?? false;
}

/** Brings what makes spans, once an answer says that the server wants them. Where it never does, nothing is loaded or sent. */
export const watch: Middleware = {
  onResponse({ response }) {
    if (isAsked || !isRecorded(response)) return;
    isAsked = true;
    // After what the answer is for has been painted. Without it the shop works as well.
    requestAnimationFrame(() => setTimeout(() => void load().catch(() => undefined)));
  },
};

async function load(): Promise<void> {
  const { startTracing } = await import("./tracing");
  tracing = startTracing(isRecorded);
}
