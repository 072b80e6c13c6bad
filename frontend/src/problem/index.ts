/** An error response of the API (RFC 9457 problem details), or a request that got no response (`status` 0). */
export class Problem extends Error {
  readonly status: number;
  /** The last path segment of the problem type, such as `out-of-stock`. */
  readonly kind: string;
  readonly title: string;
  readonly traceId: string | undefined;
  readonly errors: readonly FieldError[];
  /** Seconds to wait before a retry, if the response had a `Retry-After` header. */
  readonly retryAfter: number | undefined;

  constructor(init: {
    status: number;
    kind: string;
    title: string;
    detail?: string | undefined;
    traceId?: string | undefined;
    errors?: readonly FieldError[] | undefined;
    retryAfter?: number | undefined;
  }) {
    super(init.detail ?? init.title);
    this.name = "Problem";
    this.status = init.status;
    this.kind = init.kind;
    this.title = init.title;
    this.traceId = init.traceId;
    this.errors = init.errors ?? [];
    this.retryAfter = init.retryAfter;
  }

  /** Whether the error may be temporary, so that the same request can succeed later. */
  get isRetryable(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** A validation error for one field of the request body. */
export interface FieldError {
  /** A JSON pointer (RFC 6901) into the request body. */
  readonly pointer: string;
  readonly detail: string;
}

interface Body {
  type?: string;
  title?: string;
  detail?: string;
  trace_id?: string;
  errors?: FieldError[];
}

/** Creates the problem for an unsuccessful response; `body` is its parsed JSON, if there is any. */
export function problemOf(response: Response, body: unknown): Problem {
  const problem: Body = typeof body === "object" && body !== null ? body : {};
  const seconds = Number(response.headers.get("retry-after"));
  return new Problem({
    status: response.status,
    kind: problem.type?.split("/").pop() ?? "unknown",
    title: problem.title ?? `HTTP ${response.status}`,
    detail: problem.detail,
    traceId: problem.trace_id ?? response.headers.get("x-request-id") ?? undefined,
    errors: problem.errors,
    retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : undefined,
  });
}

/** Creates the problem for a request that got no response, for example because the network is down. */
export function unreachable(cause: unknown): Problem {
  const problem = new Problem({ status: 0, kind: "unreachable", title: "The shop cannot be reached" });
  problem.cause = cause;
  return problem;
}
