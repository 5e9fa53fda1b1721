import {
  codeOf,
  type AnyEffectAdapter,
  type Batch,
  type ParkedInput,
  type ParkedKey,
  type Publisher,
  type Store,
  type World,
} from "@waybill/messaging";
import { Counter, Histogram, Registry } from "prom-client";
import { tracedCommit, type Traces } from "./traces.ts";

/** Counts what a shop does, for Prometheus, and follows it, when it is told where to. */
export interface Meter {
  readonly registry: Registry;
  /** Undefined when nobody wants spans. */
  readonly traces: Traces | undefined;
  /** The same store; every commit through it is counted. */
  store(of: Store): Store;
  /** The same publisher, with spans. */
  publisher(of: Publisher): Publisher;
  /** The same adapters; every call through them is counted. */
  adapters(of: Readonly<Record<string, AnyEffectAdapter>>): Readonly<Record<string, AnyEffectAdapter>>;
}

const sizeBuckets = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
const commitBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface MeterOptions {
  readonly traces?: Traces | undefined;
  /** Hears of every input that is set aside. */
  readonly log?: World["log"];
}

/** Counters of batches and of calls to the outside, taken where they pass a contract, so that they hold for every engine. */
export function openMeter({ traces, log }: MeterOptions = {}): Meter {
  const registry = new Registry();
  const registers = [registry];
  const batchInputs = new Histogram({
    name: "waybill_batch_inputs",
    help: "Inputs in one commit of a lane.",
    labelNames: ["service"],
    buckets: sizeBuckets,
    registers,
  });
  const commitSeconds = new Histogram({
    name: "waybill_batch_commit_seconds",
    help: "From the commit of a batch until it was durable.",
    labelNames: ["service"],
    buckets: commitBuckets,
    registers,
  });
  const sent = new Counter({
    name: "waybill_messages_sent_total",
    help: "Messages that were committed to be sent.",
    labelNames: ["service"],
    registers,
  });
  const parked = new Counter({
    name: "waybill_inputs_parked_total",
    help: "Inputs that were set aside under their key.",
    labelNames: ["service"],
    registers,
  });
  const failed = new Counter({
    name: "waybill_commits_failed_total",
    help: "Commits that were not kept, by the error's code.",
    labelNames: ["service", "code"],
    registers,
  });
  const calls = new Counter({
    name: "waybill_effect_calls_total",
    help: "Calls to the outside, by what came of them: done, refused, unknown, again, failed.",
    labelNames: ["effect", "outcome"],
    registers,
  });
  const callSeconds = new Histogram({
    name: "waybill_effect_call_seconds",
    help: "How long a call to the outside took.",
    labelNames: ["effect"],
    buckets: callBuckets,
    registers,
  });

  function kept({ service, inputs, messages, parked: { added, keys } }: Batch, beganMs: number): void {
    if (inputs > 0) batchInputs.labels(service).observe(inputs);
    commitSeconds.labels(service).observe((performance.now() - beganMs) / 1_000);
    if (messages.length > 0) sent.labels(service).inc(messages.length);
    if (added.length > 0) parked.labels(service).inc(added.length);
    if (log !== undefined) for (const one of added) tellParked(log, service, one, keys);
  }

  function commit(store: Store, batch: Batch): ReturnType<Store["commit"]> {
    const beganMs = performance.now();
    const committed = store.commit(batch);
    committed.durable.then(
      () => kept(batch, beganMs),
      (error: unknown) => failed.labels(batch.service, codeOf(error) ?? "ERROR").inc(),
    );
    return committed;
  }

  async function call<T extends { readonly kind: string }>(name: string, made: () => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    let outcome = "failed";
    try {
      const came = await made();
      outcome = came.kind;
      return came;
    } finally {
      calls.labels(name, outcome).inc();
      callSeconds.labels(name).observe((performance.now() - beganMs) / 1_000);
    }
  }

  return {
    registry,
    traces,
    store(of) {
      const counted = (batch: Batch) => commit(of, batch);
      return withCommit(of, traces === undefined ? counted : tracedCommit(traces, counted));
    },
    publisher: (of) => traces?.publisher(of) ?? of,
    adapters: (of) =>
      Object.fromEntries(
        Object.entries(of).map(([name, bare]) => [name, counted(name, traces?.call(bare, name) ?? bare)]),
      ),
  };

  function counted(name: string, adapter: AnyEffectAdapter): AnyEffectAdapter {
    return { ...adapter, call: (input, about) => call(name, () => adapter.call(input, about)) };
  }
}

/** A line for an input that is set aside. What it holds, and what its error says of that, stays out of the log. */
function tellParked(log: World["log"], service: string, input: ParkedInput, keys: readonly ParkedKey[]): void {
  const fingerprint = keys.find(({ key }) => key === input.key)?.fingerprint;
  if (fingerprint?.startsWith("NOT_YET ") === true) return;
  const facts = { service, key: input.key, messageId: input.id, type: input.type, fingerprint };
  log("warn", "An input was set aside: waybill parked shows why.", facts);
}

/** A store that is another one in all but its commits. */
function withCommit(store: Store, commit: Store["commit"]): Store {
  const bound = new Map<PropertyKey, unknown>([["commit", commit]]);
  return new Proxy(store, {
    get(target, name) {
      if (!bound.has(name)) {
        const member: unknown = Reflect.get(target, name, target);
        bound.set(name, typeof member === "function" ? member.bind(target) : member);
      }
      return bound.get(name);
    },
  });
}
