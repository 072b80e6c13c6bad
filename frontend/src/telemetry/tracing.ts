import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NoopSpanProcessor, type Span, StackContextManager, TracerProvider } from "@opentelemetry/sdk-trace";

import type { Traced } from ".";
import { RecordedTraces } from "./recorded";

const NAME = "storefront";
/** The gateway takes 64 KiB at once; a span is about a kilobyte. */
const BATCH = 40;

/** Makes a span of every request to the API from now on, and of what a person does. Called once. */
export function startTracing(isRecorded: (answer: Response) => boolean): Traced {
  const recorded = new RecordedTraces();
  trace.setGlobalTracerProvider(
    new TracerProvider({
      resource: resourceFromAttributes({ "service.name": NAME }),
      spanProcessors: [new Naming(), new BatchSpanProcessor({ exporter: recorded, maxExportBatchSize: BATCH })],
    }),
  );
  context.setGlobalContextManager(new StackContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  // It gives `traceparent` to the own origin only.
  const requests = new FetchInstrumentation({
    enabled: false,
    // Everything but the API; and a stream of events would be a span that never ends.
    ignoreUrls: [new RegExp(`^(?!${window.location.origin.replaceAll(".", "\\.")}/v1/)`), /\/events$/],
    ignoreNetworkEvents: true,
    applyCustomAttributesOnSpan: (span, _request, answer) => {
      if (answer instanceof Response && isRecorded(answer)) recorded.add(span.spanContext().traceId);
    },
  });
  requests.enable();
  return traced;
}

const traced: Traced = async (name, work) => {
  const span = trace.getTracer(NAME).startSpan(name, { root: true });
  const within = trace.setSpan(ROOT_CONTEXT, span);
  try {
    return await work((send) => context.with(within, send));
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
};

/** Calls requests by method and route, and keeps what people search for out of their addresses. */
class Naming extends NoopSpanProcessor {
  override onStart(span: Span): void {
    const address = span.attributes["url.full"];
    if (typeof address !== "string") return;
    const { origin, pathname } = new URL(address);
    const route = template(pathname);
    span.setAttributes({ "url.full": origin + pathname, "url.template": route });
    span.updateName(`${span.name} ${route}`);
  }
}

/** `/v1/orders/{id}` of `/v1/orders/01a2-…`: keys have digits, words of routes have none. */
export function template(path: string): string {
  return path.replace(/(?<=^\/v1\/.*)[^/]*\d[^/]*/g, "{id}");
}
