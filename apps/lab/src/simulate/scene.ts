import { memoryStore, type MemoryStore } from "@waybill/memory";
import type { Batch } from "@waybill/messaging";
import { calm, Logs, Network, rolls, Scheduler, type Rolls } from "@waybill/simulator";
import { allTopics } from "./build.ts";
import { SimulatedGateway } from "./gateway.ts";
import { Host } from "./host.ts";
import { Ledger } from "./ledger.ts";
import { Lines } from "./lines.ts";
import { Mailbox } from "./mailbox.ts";
import type { Plan, Setting } from "./plan.ts";

/** Everything that outlives processes, and the machines that run them. */
export class Scene {
  readonly setting: Setting;
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly store: MemoryStore;
  readonly logs: Logs;
  readonly gateway: SimulatedGateway;
  readonly mailbox: Mailbox;
  readonly chance: Rolls;
  readonly hosts: readonly Host[];
  readonly lines = new Lines();
  /** All that was ever committed for others to read. */
  readonly ledger = new Ledger();
  /** States as they were when they were looked at last, with their values. */
  readonly looked = new Map<string, { readonly body: string; readonly value: unknown }>();
  /** A database is put back in this seed. */
  readonly isRewound: boolean;
  readonly #beganMs: number;

  constructor({ seed: number, salt, setting, items }: Plan) {
    const seed = number + salt * 1_000_003;
    this.setting = setting;
    this.scheduler = new Scheduler(seed);
    this.chance = rolls(seed, "processes");
    this.network = new Network(this.scheduler, calm(), rolls(seed, "network"));
    const { scheduler } = this;
    this.logs = new Logs(seed, () => scheduler.nowMs);
    const world = {
      monotonicMs: () => scheduler.nowMs,
      newId: () => "",
      random: () => 0,
      sleep: async () => {},
      turn: async () => {},
      log: () => {},
    };
    this.store = memoryStore({ world, byReference: true });
    this.isRewound = items.some(({ kind }) => kind === "rewind" || kind === "wipe");
    this.#beganMs = this.store.nowMs();
    this.gateway = new SimulatedGateway({
      setting,
      network: this.network,
      chance: rolls(seed, "gateway"),
      patienceMs: jumpsMs(items),
      hasLeft: (orderId) => this.ledger.sentOff.has(orderId),
    });
    this.mailbox = new Mailbox(this.network, setting.mailKeys);
    for (const { name, bytesMax } of allTopics) this.logs.declare({ name, bytesMax, partitions: setting.partitions });
    this.hosts = Array.from({ length: setting.processes }, (_, number) => new Host(this, number));
  }

  /** When a message lay on its log for the first time, by the database's clock as it began; Infinity: it never did. */
  reachedAtMs(id: string): number {
    const atMs = this.logs.reachedAtMs.get(id);
    return atMs === undefined ? Infinity : atMs + this.#beganMs;
  }

  readonly committed = (batch: Batch): void => {
    this.ledger.committed(batch);
    this.scheduler.trace.addText(batch.service);
    this.scheduler.trace.add(batch.epoch * 100_003 + batch.batch * 101 + batch.count);
  };
}

/** By how much the database's clock is wrong at most: for so much longer a gateway must know a key. */
function jumpsMs(items: Plan["items"]): number {
  return items.reduce((sum, item) => sum + (item.kind === "clock" ? Math.abs(item.byMs) : 0), 0);
}
