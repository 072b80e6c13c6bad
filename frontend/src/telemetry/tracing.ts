import { context, propagation, ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NoopSpanProcessor, type Span, StackContextManager, TracerProvider } from "@opentelemetry/sdk-trace";

import { RecordedTraceExporter } from "./recorded";
import type { Traced } from "./traced";

const NAME = "storefront";
/** Spans per export. The gateway accepts 64 KiB per request, and a span is about 1 KiB. */
const BATCH_SIZE = 40;

/** Starts recording a span for each API request and each user action. Call it once; returns the function for actions. */
export function startTracing(isRecorded: (response: Response) => boolean): Traced {
  const recorded = new RecordedTraceExporter();
  trace.setGlobalTracerProvider(
    new TracerProvider({
      resource: resourceFromAttributes({ "service.name": NAME }),
      spanProcessors: [new SpanNaming(), new BatchSpanProcessor({ exporter: recorded, maxExportBatchSize: BATCH_SIZE })],
    }),
  );
  context.setGlobalContextManager(new StackContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  // By default it sends `traceparent` to this origin only.
  const requests = new FetchInstrumentation({
    enabled: false,
    // Traces API requests only, and no event streams, because their spans would never end.
    ignoreUrls: [new RegExp(`^(?!${window.location.origin.replaceAll(".", "\\.")}/v1/)`), /\/events$/],
    ignoreNetworkEvents: true,
    applyCustomAttributesOnSpan: (span, _request, response) => {
      if (response instanceof Response && isRecorded(response)) recorded.add(span.spanContext().traceId);
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

/** Names spans by method and route, and removes search terms from their URLs. */
class SpanNaming extends NoopSpanProcessor {
  override onStart(span: Span): void {
    const address = span.attributes["url.full"];
    if (typeof address !== "string") return;
    const { origin, pathname } = new URL(address);
    const route = template(pathname);
    span.setAttributes({ "url.full": origin + pathname, "url.template": route });
    span.updateName(`${span.name} ${route}`);
  }
}

/** Replaces each path segment that contains a digit, because only ids do: `/v1/orders/01a2-…` becomes `/v1/orders/{id}`. */
export function template(path: string): string {
  return path.replace(/(?<=^\/v1\/.*)[^/]*\d[^/]*/g, "{id}");
}
