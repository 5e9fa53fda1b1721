import type { Proxy } from "@waybill/brokers";
import type { GatewayChild } from "@waybill/server";
import { setTimeout as pause } from "node:timers/promises";
import type { Chance } from "./chance.ts";
import type { MovedClock } from "./moved-clock.ts";
import type { ShopProcess } from "./shop-process.ts";
import type { SmallDisk } from "./small-disk.ts";

/** What faults are done to. */
export interface Target {
  readonly chance: Chance;
  /** The shop's processes that run now. */
  readonly shops: readonly ShopProcess[];
  readonly gateway: GatewayChild;
  /** Stands between the shop and its gateway. */
  readonly wire: Proxy;
  readonly disk: SmallDisk;
  readonly clock: MovedClock;
  /** Starts a shop's process anew in place of one that has ended. */
  restart(ended: ShopProcess): Promise<void>;
}

/** One kind of fault. It resolves when whatever it broke may heal: recovery counts from there, or from the kill itself. */
export interface Fault {
  readonly name: string;
  /** How often it comes, beside the others. */
  readonly weight: number;
  /** Why it cannot be done here; undefined when it can. */
  unavailable?(target: Target): string | undefined;
  /** Resolves with the moment at which all was put back, by the monotonic clock. */
  inject(target: Target): Promise<number>;
}

/** Longer than the five seconds for which a member of the shop is good. */
const beyondLeaseMs = [5_500, 7_000] as const;

/** By how much a clock is put wrong. What is due by it may then come that much early, or late. */
const movedMs = [-15_000, 15_000] as const;

async function killed(target: Target, shop: ShopProcess): Promise<number> {
  const atMs = performance.now();
  await shop.end("SIGKILL");
  await target.restart(shop);
  return atMs;
}

/** Faults that every engine can have. */
export const commonFaults: readonly Fault[] = [
  {
    name: "kill -9 of the server",
    weight: 6,
    inject: (target) => killed(target, target.chance.of(target.shops)),
  },
  {
    name: "SIGTERM of the server",
    weight: 1,
    async inject(target) {
      const shop = target.chance.of(target.shops);
      const atMs = performance.now();
      const code = await shop.end("SIGTERM");
      if (code !== 0) throw new Error(`A shop that was asked to end exits with ${code}.`);
      await target.restart(shop);
      return atMs;
    },
  },
  {
    name: "server held beyond its lease (SIGSTOP)",
    weight: 2,
    async inject({ shops, chance }) {
      const shop = chance.of(shops);
      shop.signal("SIGSTOP");
      await pause(chance.between(...beyondLeaseMs));
      shop.signal("SIGCONT");
      return performance.now();
    },
  },
  {
    name: "server held, then killed",
    weight: 1,
    async inject(target) {
      const shop = target.chance.of(target.shops);
      shop.signal("SIGSTOP");
      await pause(target.chance.between(100, 2_000));
      return killed(target, shop);
    },
  },
  {
    name: "kill -9 of the gateway",
    weight: 4,
    async inject({ gateway }) {
      const { pid } = gateway;
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      return performance.now();
    },
  },
  {
    name: "gateway held (SIGSTOP)",
    weight: 2,
    async inject({ gateway, chance }) {
      const { pid } = gateway;
      if (pid === undefined) return performance.now();
      process.kill(pid, "SIGSTOP");
      await pause(chance.between(500, 4_000));
      process.kill(pid, "SIGCONT");
      return performance.now();
    },
  },
  {
    name: "connections to the gateway cut",
    weight: 4,
    async inject({ wire }) {
      wire.cut();
      return performance.now();
    },
  },
  {
    name: "connections to the gateway frozen",
    weight: 2,
    async inject({ wire, chance }) {
      wire.freeze();
      await pause(chance.between(500, 12_000));
      // What was sent before the freeze is lost half of the time, and late the other half.
      if (chance.next() < 0.5) wire.cut();
      wire.thaw();
      return performance.now();
    },
  },
  {
    name: "gateway refuses connections",
    weight: 1,
    async inject({ wire, chance }) {
      await wire.refuse();
      wire.cut();
      await pause(chance.between(200, 2_000));
      await wire.accept();
      return performance.now();
    },
  },
  {
    name: "clock moved and put right",
    weight: 2,
    unavailable: ({ clock }) => clock.unavailable,
    async inject({ clock, chance }) {
      clock.show(chance.between(...movedMs));
      await pause(chance.between(500, 3_000));
      clock.show(0);
      return performance.now();
    },
  },
  {
    name: "disk full",
    weight: 2,
    unavailable: ({ disk }) => disk.unavailable,
    async inject({ disk, chance }) {
      disk.fill();
      await pause(chance.between(500, 3_000));
      disk.empty();
      return performance.now();
    },
  },
  {
    name: "kill -9 of the server on a full disk",
    weight: 1,
    unavailable: ({ disk }) => disk.unavailable,
    async inject(target) {
      const { disk, chance } = target;
      const shop = chance.of(target.shops);
      disk.fill();
      await pause(chance.between(100, 1_000));
      await shop.end("SIGKILL");
      disk.empty();
      const atMs = performance.now();
      await target.restart(shop);
      return atMs;
    },
  },
];

/** One of these faults by their weights. */
export function drawn(faults: readonly Fault[], chance: Chance): Fault {
  const sum = faults.reduce((all, { weight }) => all + weight, 0);
  let left = chance.next() * sum;
  for (const fault of faults) {
    left -= fault.weight;
    if (left < 0) return fault;
  }
  return faults.at(-1)!;
}
