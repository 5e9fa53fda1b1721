import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import type { MessageType, Publisher } from "@waybill/messaging";
import packageJson from "../../package.json" with { type: "json" };
import { partsOf, type Traces } from "./traces.ts";

/** How many calls under way are remembered with the span that they belong to; the oldest goes first. */
const callsMax = 10_000;

/** Makes spans and sends them to a collector that speaks OTLP over HTTP. */
export function openTelemetry(url: string): Traces {
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "waybill", "service.version": packageJson.version }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
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

function contextOf(traceparent: string | undefined): Context {
  const parts = partsOf(traceparent);
  if (parts === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = parts;
  const traceFlags = Number.parseInt(flags, 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function textOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
}
