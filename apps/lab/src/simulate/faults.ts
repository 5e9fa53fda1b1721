import type { Snapshot } from "@waybill/memory";
import { reads } from "@waybill/messaging";
import { calm, idOf, rolls, type PartitionLog, type Rolls } from "@waybill/simulator";
import { buildOf } from "./build.ts";
import type { People } from "./people.ts";
import type { Item } from "./plan.ts";
import type { Scene } from "./scene.ts";

/** Makes what a plan says happen at its moment. */
export class Course {
  readonly #scene: Scene;
  readonly #people: People;
  readonly #chance: Rolls;
  #levelMax = 1;
  /** A loss behind which nothing was said is found when its lane is claimed next. */
  mayHaveLost = false;

  constructor(scene: Scene, people: People, seed: number) {
    this.#scene = scene;
    this.#people = people;
    this.#chance = rolls(seed, "course");
  }

  begin(items: readonly Item[]): void {
    for (const item of items) this.#scene.scheduler.after(item.atMs, () => this.#happens(item));
  }

  #happens(item: Item): void {
    switch (item.kind) {
      case "order":
        return void this.#people.place(item);
      case "twist":
        return this.#people.twist(item.orderId, item.lines);
      case "cancel":
        return this.#people.cancel(item.orderId, item.isForeign);
      case "price":
        return this.#people.put(item.sku, item.price, item.active);
      case "adjust":
        return this.#people.adjust(item.adjustmentId, item.sku, item.quantity);
      case "crash":
      case "death":
      case "pause":
      case "close":
      case "deploy":
        return this.#toProcess(item);
      default:
        return this.#toWorld(item);
    }
  }

  #toProcess(item: Item & { readonly kind: "crash" | "death" | "pause" | "close" | "deploy" }): void {
    const host = this.#scene.hosts[item.process]!;
    if (item.kind === "crash") host.crash(item.awayMs);
    else if (item.kind === "death") host.dieAt(item);
    else if (item.kind === "pause") host.pause(item.ms);
    else if (item.kind === "close") host.close(item.awayMs);
    else {
      host.level = item.level;
      this.#levelMax = Math.max(this.#levelMax, item.level);
      host.close(100);
    }
  }

  #toWorld(item: Item): void {
    const { network, gateway, mailbox, logs, store, scheduler, hosts } = this.#scene;
    const { weather } = network;
    switch (item.kind) {
      case "weather": {
        Object.assign(weather, item.chances);
        const before = calm();
        return this.#later(item.ms, () => {
          for (const name of Object.keys(item.chances) as (keyof typeof item.chances)[]) weather[name] = before[name];
        });
      }
      case "gateway":
        gateway.trouble(item.chances);
        return this.#later(item.ms, () => gateway.trouble({}));
      case "mail":
        mailbox.isDown = true;
        return this.#later(item.ms, () => void (mailbox.isDown = false));
      case "down":
        weather.down.add(item.topic);
        return this.#later(item.ms, () => void weather.down.delete(item.topic));
      case "stall":
        weather.stalled.add(item.topic);
        return this.#later(item.ms, () => {
          weather.stalled.delete(item.topic);
          logs.wake(item.topic);
        });
      case "clock":
        return store.setNow(store.nowMs() + item.byMs);
      case "lose":
        weather.stalled.add(item.topic);
        return this.#later(item.unreadMs, () => {
          void this.#lose(item);
          weather.stalled.delete(item.topic);
          logs.wake(item.topic);
        });
      case "recreate":
        return void this.#recreate(item.topic);
      case "outage":
        for (const host of hosts) host.crash(item.ms);
        return;
      case "wipe":
        return this.#wipe(item.service);
      case "redrive":
        return void this.#redrive(item.service);
      case "rewind": {
        const snapshot = store.snapshot();
        return void scheduler.after(item.ms, () => this.#rewind(item.service, snapshot));
      }
    }
  }

  async #lose({ topic, count }: { readonly topic: string; readonly count: number }): Promise<void> {
    const { logs } = this.#scene;
    this.mayHaveLost = true;
    const filled = logs.topic(topic).partitions.filter(({ messages }) => messages.length > 0);
    const chosen = filled.length === 0 ? undefined : this.#chance.pick(filled);
    if (chosen !== undefined && (await isJoined(this.#scene, [chosen]))) logs.loseTail(topic, chosen.partition, count);
  }

  async #recreate(topic: string): Promise<void> {
    const { logs } = this.#scene;
    this.mayHaveLost = true;
    if (await isJoined(this.#scene, logs.topic(topic).partitions)) logs.recreate(topic);
  }

  async #redrive(service: string): Promise<void> {
    for (const { key } of await this.#scene.store.parkedKeys(service)) {
      for (const { worker } of this.#scene.hosts) void worker?.redrive(service, key).catch(() => undefined);
    }
  }

  /** Ends a trouble, at the latest when all troubles end. */
  #later(ms: number, run: () => void): void {
    this.#scene.scheduler.after(ms, run);
  }

  /** Puts back one service's tables, and leaves all others as they are. A known limit: it is found when lanes are claimed next, or write next. */
  #rewind(service: string, snapshot: Snapshot): void {
    const { store } = this.#scene;
    const { members, services } = store.snapshot().contents;
    const before = snapshot.contents.services.get(service);
    if (before === undefined) return;
    this.#scene.ledger.rewound(service);
    this.mayHaveLost = true;
    store.restore({ contents: { members, services: new Map(services).set(service, before) } });
  }

  /** Loses a service's tables, and makes them anew. */
  #wipe(service: string): void {
    const { store, hosts, ledger, chance, setting } = this.#scene;
    const lanes = buildOf(setting, 1).services.find((one) => one.service.name === service)!.lanes;
    const { members, services } = store.snapshot().contents;
    services.delete(service);
    ledger.rewound(service);
    for (const host of hosts) host.crash(500);
    store.restore({ contents: { members, services } });
    void store.declare(service, lanes, () => idOf(chance.next));
  }

  /** Ends all trouble: from here on everything works, and everybody runs the newest build that anybody ran. */
  heal(): void {
    const { network, gateway, mailbox, logs, hosts } = this.#scene;
    Object.assign(network.weather, calm());
    network.deaths.clear();
    gateway.trouble({});
    mailbox.isDown = false;
    for (const topic of logs.topics.keys()) logs.wake(topic);
    for (const host of hosts) {
      const isOld = host.level !== this.#levelMax;
      host.level = this.#levelMax;
      if (host.process === undefined) host.start();
      else if (!(isOld || this.mayHaveLost || this.#chance.chance(0.2))) continue;
      else if (this.#chance.chance(0.5)) host.close(10);
      else host.crash(10);
    }
  }
}

/**
 * Whether every reader has taken two messages of each chain in these partitions. A known limit: what is lost before that and said
 * again behind a later message is taken for a repeat, since nothing says yet where the chain begins.
 */
async function isJoined({ store, setting }: Scene, partitions: readonly PartitionLog[]): Promise<boolean> {
  for (const { topic, partition, messages } of partitions) {
    const sources = new Set(messages.flatMap(({ stamp }) => stamp?.source ?? []));
    for (const { service, lanes } of buildOf(setting, 1).services) {
      if (!reads(service).includes(topic)) continue;
      const { positions } = await store.recover({ service: service.name, lane: partition % lanes, lanes });
      const marks = positions.find((row) => row.topic === topic && row.partition === partition)?.marks ?? {};
      for (const source of sources) if ((marks[source] ?? 0) <= 0) return false;
    }
  }
  return true;
}
