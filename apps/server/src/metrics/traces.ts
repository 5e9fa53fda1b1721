import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from "@opentelemetry/sdk-trace-base";
import type { AnyEffectAdapter, Batch, MessageType, Publisher, Store } from "@waybill/messaging";
import packageJson from "../../package.json" with { type: "json" };

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

/** How many calls under way are remembered with the span that they belong to; the oldest goes first. */
const callsMax = 10_000;

/** The address that traces go to, as OpenTelemetry's own variables say; undefined when there is none, and then none are made. */
export function tracesEndpoint(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const own = env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
  const base = env["OTEL_EXPORTER_OTLP_ENDPOINT"];
  if (own !== undefined && own !== "") return own;
  return base === undefined || base === "" ? undefined : `${base.replace(/\/$/, "")}/v1/traces`;
}

/** Sends spans to a collector that speaks OTLP over HTTP. */
export function tracesTo(url: string): Traces {
  return openTraces(new OTLPTraceExporter({ url }));
}

export function openTraces(exporter: SpanExporter): Traces {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "waybill", "service.version": packageJson.version }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const tracer = provider.getTracer("waybill", packageJson.version);
  const calls = new Map<string, string>();

  function sending(of: Sending, traceparent: string | undefined): Span {
    const attributes = {
      "messaging.system": "waybill",
      "messaging.operation.type": "send",
      "messaging.operation.name": "send",
      "messaging.destination.name": of.topic,
      "messaging.message.id": of.id,
      "waybill.message.type": of.type,
      "waybill.message.subject": of.subject,
      "waybill.service": of.service,
    };
    return tracer.startSpan(`send ${of.type}`, { kind: SpanKind.PRODUCER, attributes }, contextOf(traceparent));
  }

  function remember(id: string, traceparent: string): void {
    calls.set(id, traceparent);
    if (calls.size <= callsMax) return;
    for (const oldest of calls.keys()) {
      calls.delete(oldest);
      return;
    }
  }

  return {
    request(method, route, traceparent) {
      const attributes = { "http.request.method": method, "http.route": route };
      const span = tracer.startSpan(
        `${method} ${route}`,
        { kind: SpanKind.SERVER, attributes },
        contextOf(traceparent),
      );
      return {
        traceparent: textOf(span),
        end(status) {
          span.setAttribute("http.response.status_code", status);
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },

    publisher: (of) => ({
      async publish<T>(type: MessageType<T>, body: NoInfer<T>, options: Parameters<Publisher["publish"]>[2] = {}) {
        const sent = { topic: type.topic.name, id: options.id ?? "", type: type.name, subject: type.subject(body) };
        const span = sending({ ...sent, service: "http" }, options.traceparent);
        try {
          return await of.publish(type, body, { ...options, traceparent: textOf(span) });
        } catch (error) {
          failed(span, error);
          throw error;
        } finally {
          span.end();
        }
      },
      [Symbol.asyncDispose]: () => of[Symbol.asyncDispose](),
    }),

    began({ service, messages, effects }) {
      const spans: Span[] = [];
      for (const message of messages) {
        if (message.traceparent === undefined) continue;
        const span = sending({ ...message, service }, message.traceparent);
        spans.push(span);
        // In place: the lane sends these very messages on when the commit is durable.
        (message as { traceparent?: string }).traceparent = textOf(span);
      }
      for (const { id, traceparent } of effects.added) if (traceparent !== undefined) remember(id, traceparent);
      return (error) => {
        for (const span of spans) {
          if (error !== undefined) failed(span, error);
          span.end();
        }
      };
    },

    call: (adapter, name) => ({
      ...adapter,
      async call(input, about) {
        const attributes = {
          "waybill.effect": name,
          "waybill.effect.key": about.key,
          "waybill.effect.attempt": about.attempt,
        };
        const parent = contextOf(calls.get(about.key));
        const span = tracer.startSpan(`call ${name}`, { kind: SpanKind.CLIENT, attributes }, parent);
        try {
          const came = await adapter.call(input, about);
          span.setAttribute("waybill.effect.outcome", came.kind);
          return came;
        } catch (error) {
          failed(span, error);
          throw error;
        } finally {
          span.end();
        }
      },
    }),

    async [Symbol.asyncDispose]() {
      await provider.shutdown();
    },
  };
}

interface Sending {
  readonly topic: string;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly service: string;
}

/** The text of an error may hold what a customer has sent: only its kind is told. */
function failed(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : "Error" });
}

const traceparents = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Whether a header is one that the trace context of W3C knows. */
export function isTraceparent(text: unknown): text is string {
  return typeof text === "string" && traceparents.test(text);
}

function contextOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = traceparents.exec(traceparent ?? "") ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags!, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function textOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
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
