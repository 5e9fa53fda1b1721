import type { AnyEffectAdapter, Batch, Publisher, Store } from "@waybill/messaging";

/** Spans of an order's whole life: request, message, message, …, call; each under what caused it. */
export interface Traces extends AsyncDisposable {
  /** Begins the span of a request. */
  request(method: string, route: string, traceparent: string | undefined): RequestSpan;
  publisher(of: Publisher): Publisher;
  /** Gives what a batch sends and calls spans of their own, which travel on with it. */
  began(batch: Batch): (error?: unknown) => void;
  call(adapter: AnyEffectAdapter, name: string): AnyEffectAdapter;
}

export interface RequestSpan {
  readonly traceparent: string;
  end(status: number): void;
}

/** The address that traces go to, as OpenTelemetry's own variables say; undefined when there is none, and then none are made. */
export function tracesEndpoint(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const own = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
  const base = env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  if (own !== undefined && own !== "") return own;
  return base === undefined || base === "" ? undefined : `${base.replace(/\/$/, "")}/v1/traces`;
}

/** Sends spans to a collector that speaks OTLP over HTTP. What makes and sends them is loaded only now: most shops have none. */
export async function tracesTo(url: string): Promise<Traces> {
  const { openTelemetry } = await import("./open-telemetry.ts");
  return openTelemetry(url);
}

const traceparents = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Whether a header is one that the trace context of W3C knows. */
export function isTraceparent(text: unknown): text is string {
  return typeof text === "string" && traceparents.test(text);
}

/** What a header of W3C's trace context says, each in hex; undefined when it is none. */
export function partsOf(
  traceparent: string | undefined,
): { readonly traceId: string; readonly spanId: string; readonly flags: string } | undefined {
  const [, traceId, spanId, flags] = traceparents.exec(traceparent ?? "") ?? [];
  return traceId === undefined ? undefined : { traceId, spanId: spanId!, flags: flags! };
}

/** A store whose commits carry spans. */
export function tracedCommit(traces: Traces, commit: Store["commit"]): Store["commit"] {
  return (batch) => {
    const end = traces.began(batch);
    const committed = commit(batch);
    committed.durable.then(
      () => end(),
      (error: unknown) => end(error),
    );
    return committed;
  };
}
