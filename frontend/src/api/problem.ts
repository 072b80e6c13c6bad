/** What the API says when it refuses: RFC 9457, with the trace that led there. */
export class Problem extends Error {
  readonly status: number;
  /** The last part of the problem's type, such as `out-of-stock`. */
  readonly kind: string;
  readonly title: string;
  readonly traceId: string | undefined;
  readonly errors: readonly FieldError[];
  /** Seconds to wait, where the server said so. */
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

  /** Whether trying the same again may help. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface FieldError {
  /** A JSON pointer into the body that was sent. */
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

/** The problem of an answer that is not a success. */
export function problemOf(response: Response, body: unknown): Problem {
  const told: Body = typeof body === "object" && body !== null ? body : {};
  const seconds = Number(response.headers.get("retry-after"));
  return new Problem({
    status: response.status,
    kind: told.type?.split("/").pop() ?? "unknown",
    title: told.title ?? `HTTP ${response.status}`,
    detail: told.detail,
    traceId: told.trace_id ?? response.headers.get("x-request-id") ?? undefined,
    errors: told.errors,
    retryAfter: Number.isFinite(seconds) && seconds > 0 ? seconds : undefined,
  });
}

/** Nothing came back at all. */
export function unreachable(cause: unknown): Problem {
  const problem = new Problem({ status: 0, kind: "unreachable", title: "The shop cannot be reached" });
  problem.cause = cause;
  return problem;
}
