import { WaybillError, type Append, type AppendResult, type Transport } from "@waybill/messaging";

/** What befalls one destination of one append. */
export type AppendFault =
  /** Nothing is stored. */
  | { readonly kind: "fail" }
  /** All is stored, and the caller is told that it may not be. */
  | { readonly kind: "lose-answer" }
  /** The first `count` messages are stored, and the caller is told that they may not be. */
  | { readonly kind: "part"; readonly count: number }
  /** It is made after this. */
  | { readonly kind: "delay"; readonly until: () => Promise<void> };

/** Decides, call by call, what goes wrong; undefined: nothing. */
export interface TransportPlan {
  readonly append?: (batch: Append) => AppendFault | undefined;
  /** `fail`: the fetch throws TRANSPORT_UNAVAILABLE and has taken nothing. */
  readonly fetch?: () =>
    | { readonly kind: "fail" }
    | { readonly kind: "delay"; readonly until: () => Promise<void> }
    | undefined;
}

/** The transport with faults. Of an append only the destinations named by the plan suffer. */
export function faultyTransport(transport: Transport, plan: TransportPlan): Transport {
  return {
    name: transport.name,
    declare: (topic) => transport.declare(topic),
    append: (batches, signal) => faultyAppend(transport, plan, batches, signal),
    reader(from) {
      const reader = transport.reader(from);
      return {
        async fetch(limits, signal) {
          const fault = plan.fetch?.();
          if (fault?.kind === "fail") throw unavailable("A fetch", {});
          await (fault?.until() ?? undefined);
          return await reader.fetch(limits, signal);
        },
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      };
    },
    read: (topic, partition, offset) => transport.read(topic, partition, offset),
    bounds: (topic, atMs) => transport.bounds(topic, atMs),
    report: (service, positions) => transport.report(service, positions),
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

async function faultyAppend(
  transport: Transport,
  plan: TransportPlan,
  batches: readonly Append[],
  signal: AbortSignal,
): Promise<readonly AppendResult[]> {
  const faults = batches.map((batch) => plan.append?.(batch));
  for (const fault of faults) if (fault?.kind === "delay") await fault.until();
  const made = batches
    .map((batch, at) => ({ at, batch: madeOf(batch, faults[at]) }))
    .filter(({ batch }) => batch.messages.length > 0);
  const results = await transport.append(
    made.map(({ batch }) => batch),
    signal,
  );
  return batches.map((batch, at) => {
    const fault = faults[at];
    if (fault !== undefined && fault.kind !== "delay") return { ok: false, error: unavailable("An append", batch) };
    return results[made.findIndex((one) => one.at === at)]!;
  });
}

/** What of a destination's messages reaches the transport. */
function madeOf(batch: Append, fault: AppendFault | undefined): Append {
  if (fault?.kind === "fail") return { ...batch, messages: [] };
  if (fault?.kind === "part") return { ...batch, messages: batch.messages.slice(0, fault.count) };
  return batch;
}

function unavailable(what: string, place: { topic?: string; partition?: number }): WaybillError {
  const { topic, partition } = place;
  return new WaybillError("TRANSPORT_UNAVAILABLE", `${what} was made to fail.`, {
    details: { topic, partition },
  });
}
