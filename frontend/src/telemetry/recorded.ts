import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { RandomIdGenerator, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";

/** As many traces as are remembered: far more than one batch of spans is about. */
const REMEMBERED = 500;
/** Shorter than the exporter's wait before its second retry. */
const PATIENCE = 2_000;
/** How long nothing is sent after a refusal: the page works without, and each refusal is a line in the browser's console. */
const SILENCE = 300_000;

/** Sends the spans of those traces that the server records, through its gateway; all others are forgotten. */
export class RecordedTraces implements SpanExporter {
  readonly #known = new Set<string>();
  readonly #exporter: OTLPTraceExporter;
  #silentUntil = 0;

  constructor() {
    const ids = new RandomIdGenerator();
    this.#exporter = new OTLPTraceExporter({
      url: new URL("/v1/traces", window.location.origin).href,
      timeoutMillis: PATIENCE,
      // Not sampled: the sending is no trace itself.
      headers: { traceparent: `00-${ids.generateTraceId()}-${ids.generateSpanId()}-00` },
    });
  }

  add(trace: string): void {
    this.#known.add(trace);
    const [oldest] = this.#known;
    if (oldest && this.#known.size > REMEMBERED) this.#known.delete(oldest);
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    const wanted = spans.filter((span) => this.#known.has(span.spanContext().traceId));
    if (wanted.length === 0 || Date.now() < this.#silentUntil) {
      done({ code: ExportResultCode.SUCCESS });
      return;
    }
    this.#exporter.export(wanted, (result) => {
      if (result.code !== ExportResultCode.SUCCESS) this.#silentUntil = Date.now() + SILENCE;
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
