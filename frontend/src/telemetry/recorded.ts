import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { RandomIdGenerator, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";

/** Number of trace ids to remember, far more than one batch of spans refers to. */
const MAX_TRACES = 500;
/** Timeout of an export in milliseconds, shorter than the exporter's delay before its second retry. */
const EXPORT_TIMEOUT = 2_000;
/** Milliseconds to pause after a failed export, because the browser logs each failure to its console. */
const PAUSE_AFTER_FAILURE = 300_000;

/** Exports the spans of traces that the server records to the gateway, and drops all others. */
export class RecordedTraceExporter implements SpanExporter {
  readonly #recorded = new Set<string>();
  readonly #exporter: OTLPTraceExporter;
  #pausedUntil = 0;

  constructor() {
    const ids = new RandomIdGenerator();
    this.#exporter = new OTLPTraceExporter({
      url: new URL("/v1/traces", window.location.origin).href,
      timeoutMillis: EXPORT_TIMEOUT,
      // Not sampled, so that the export does not create a trace itself.
      headers: { traceparent: `00-${ids.generateTraceId()}-${ids.generateSpanId()}-00` },
    });
  }

  /** Marks a trace as recorded by the server. */
  add(trace: string): void {
    this.#recorded.add(trace);
    const [oldest] = this.#recorded;
    if (oldest && this.#recorded.size > MAX_TRACES) this.#recorded.delete(oldest);
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const recorded = spans.filter((span) => this.#recorded.has(span.spanContext().traceId));
    if (recorded.length === 0 || Date.now() < this.#pausedUntil) {
      done({ code: ExportResultCode.SUCCESS });
      return;
    }
    this.#exporter.export(recorded, (result) => {
      if (result.code !== ExportResultCode.SUCCESS) this.#pausedUntil = Date.now() + PAUSE_AFTER_FAILURE;
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush();
  }
}
