import type { RunningAudit } from "@waybill/auditor";
import type { LaneStatus, Service, Store, Worker } from "@waybill/messaging";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Engine } from "../engine.ts";
import { laneViews, type LaneView } from "../lanes.ts";

export interface Gauged {
  readonly engine: Engine;
  readonly services: readonly Service[];
  readonly worker: Worker;
}

/** Gauges of how lanes, parking, outbox and effects stand; what it returns reads them anew. */
export function addGauges(registry: Registry, { engine, services, worker }: Gauged): () => Promise<void> {
  const set = gaugesOf(registry);
  const lane = ["service", "lane"] as const;
  const topic = [...lane, "topic"] as const;
  const up = set("waybill_up", "1 while the process lives.", []);
  const storeOk = set("waybill_store_ok", "1 while the store takes writes.", []);
  const lag = set("waybill_lane_lag_messages", "Messages that a lane has not handled; counted up to 10,000.", topic);
  const lagSeconds = set("waybill_lane_lag_seconds", "Age of the oldest message that a lane has not handled.", topic);
  const running = set("waybill_lane_running", "1 when a process runs the lane, 0 when none does.", lane);
  const stopped = set("waybill_lane_stopped", "1 for a lane that has stopped, by the code of why.", [...lane, "code"]);
  const blocked = set("waybill_lane_blocked", "1 for a topic that a lane reads no further, by the code of why.", [
    ...topic,
    "code",
  ]);
  const parked = set("waybill_parked_keys", "Keys that are set aside.", lane);
  const parkedAge = set("waybill_parked_age_seconds", "How long the oldest key has been set aside.", ["service"]);
  const effects = set("waybill_effects_waiting", "Entities whose calls to the outside are not answered.", lane);
  const held = set("waybill_effects_held", "There only for a queue whose calls are held up: 1.", [...lane, "queue"]);
  const outbox = set("waybill_outbox_messages", "Messages that are committed and not confirmed by their log.", lane);
  const outboxAge = set("waybill_outbox_age_seconds", "Age of the oldest message that no log has confirmed.", lane);
  const inputs = new Counter({
    name: "waybill_lane_inputs_total",
    help: "Inputs that this process has handled since it took the lane.",
    labelNames: lane,
    registers: [registry],
  });
  const ofLanes = [
    lag,
    lagSeconds,
    running,
    stopped,
    blocked,
    parked,
    parkedAge,
    effects,
    held,
    outbox,
    outboxAge,
    inputs,
  ];

  function tellView(view: LaneView): void {
    const of = { service: view.service, lane: String(view.lane) };
    running.set(of, view.owner === undefined ? 0 : 1);
    parked.set(of, view.parkedKeys);
    if (view.stopped !== undefined) stopped.set({ ...of, code: codeIn(view.stopped) }, 1);
    for (const one of view.topics) {
      const ofTopic = { ...of, topic: one.topic };
      lag.set(ofTopic, one.lagMessages);
      lagSeconds.set(ofTopic, one.lagMs / 1_000);
      if (one.blocked !== undefined) blocked.set({ ...ofTopic, code: codeIn(one.blocked) }, 1);
    }
  }

  /** How long ago a moment was, in seconds; 0 for none. */
  function ageSeconds(sinceMs: number | undefined): number {
    return sinceMs === undefined ? 0 : Math.max(0, engine.store.nowMs() - sinceMs) / 1_000;
  }

  return async () => {
    const views = await laneViews(engine, services, worker);
    const lanes = worker.lanes();
    const unsent = await Promise.all(
      lanes.map(async (status) => (status.outbox === 0 ? undefined : oldestUnsent(engine.store, status))),
    );
    const keys = await Promise.all(services.map(({ name }) => engine.store.parkedKeys(name)));
    // From here on nothing waits, so that nobody reads figures of which some are gone.
    for (const one of ofLanes) one.reset();
    up.set({}, 1);
    storeOk.set({}, engine.health().ok ? 1 : 0);
    for (const view of views) tellView(view);
    for (const [at, status] of lanes.entries()) {
      const of = { service: status.service, lane: String(status.lane) };
      effects.set(of, status.effects);
      for (const queue of status.heldQueues) held.set({ ...of, queue }, 1);
      outbox.set(of, status.outbox);
      outboxAge.set(of, ageSeconds(unsent[at]));
      inputs.inc(of, status.counts.inputs);
    }
    for (const [at, { name }] of services.entries()) {
      const since = keys[at]!.map(({ sinceMs }) => sinceMs);
      parkedAge.set({ service: name }, ageSeconds(since.length === 0 ? undefined : Math.min(...since)));
    }
  };
}

/** When the oldest message was published that lies in a lane's outbox and is not confirmed. */
async function oldestUnsent(store: Store, { service, lane, lanes }: LaneStatus): Promise<number | undefined> {
  const id = { service, lane, lanes };
  const { outbox, sent } = await store.recover(id);
  let oldestMs: number | undefined;
  for (const { topic, partition, firstN } of outbox) {
    const sentN = sent.find((row) => row.topic === topic && row.partition === partition)?.n ?? 0;
    const [head] = await store.outbox(id, { topic, partition }, Math.max(sentN, firstN - 1), 1);
    if (head !== undefined) oldestMs = Math.min(oldestMs ?? head.atMs, head.atMs);
  }
  return oldestMs;
}

/** Gauges of how the laws of the books stand, read when they are asked for; without an audit they have no values. */
export function addAuditGauges(registry: Registry, audit: Pick<RunningAudit, "auditStatus"> | undefined): void {
  const auditStatus = () => audit?.auditStatus() ?? [];
  const labelNames = ["law"] as const;
  const of = (law: number) => ({ law: String(law) });
  const breaches = {
    name: "waybill_audit_breaches",
    help: "Things that break a law of the books now, by the law's number.",
    labelNames,
    collect(this: Gauge) {
      for (const { law, breaches: count } of auditStatus()) this.set(of(law), count);
    },
  };
  const checked = {
    name: "waybill_audit_checked_total",
    help: "Things that were held against a law since the start.",
    labelNames,
    collect(this: Counter) {
      this.reset();
      for (const { law, checked: count } of auditStatus()) this.inc(of(law), count);
    },
  };
  const last = {
    name: "waybill_audit_last_check_seconds",
    help: "When something was last held against a law, in seconds since 1970; 0 for never.",
    labelNames,
    collect(this: Gauge) {
      for (const { law, lastAtMs } of auditStatus()) this.set(of(law), lastAtMs / 1_000);
    },
  };
  registry.registerMetric(new Gauge({ ...breaches, registers: [] }));
  registry.registerMetric(new Counter({ ...checked, registers: [] }));
  registry.registerMetric(new Gauge({ ...last, registers: [] }));
}

/** The code in front of a reason. */
function codeIn(reason: string): string {
  return /^([A-Z_]+):/.exec(reason)?.[1] ?? "ERROR";
}

function gaugesOf(registry: Registry) {
  return <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
}

/** Gauges of what the process itself uses. Read when they are asked for: nothing ticks in an idle shop. */
export function addProcessGauges(registry: Registry): void {
  const set = gaugesOf(registry);
  set("process_start_time_seconds", "When the process began, in seconds since 1970.", []).set(
    performance.timeOrigin / 1_000,
  );
  const memory = {
    name: "process_resident_memory_bytes",
    help: "Memory of the process.",
    collect(this: Gauge) {
      this.set(process.memoryUsage.rss());
    },
  };
  const processor = {
    name: "process_cpu_seconds_total",
    help: "Processor time of the process.",
    collect(this: Counter) {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1_000_000);
    },
  };
  registry.registerMetric(new Gauge({ ...memory, registers: [] }));
  registry.registerMetric(new Counter({ ...processor, registers: [] }));
}
