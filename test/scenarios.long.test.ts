import type { Envelope, Worker } from "@waybill/messaging";
import { partitionOf } from "@waybill/messaging";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploy, everywhere, idsIn, partitions, range, until, type Deployment } from "./scenarios/deployment.ts";
import { heldBytes, slowness } from "./scenarios/slow.ts";
import { momentOf, openSite, siteKinds, type Site } from "./scenarios/site.ts";

function blockedIn(worker: Worker): { topic: string; code: string; reason: string }[] {
  return worker.lanes().flatMap(({ blocked }) => blocked);
}

/** Resolves when every lane says that it stands still for this reason. */
async function untilBlocked(worker: Worker, code: string): Promise<void> {
  await until(() => expect(blockedIn(worker).map((one) => one.code)).toEqual([code, code]));
}

function sum(worker: Worker, count: "passedOn" | "inputs"): number {
  return worker.lanes().reduce((all, { counts }) => all + counts[count], 0);
}

/** A message as a stranger would write it. */
function strange(id: string, of: Partial<Envelope> & { readonly subject: string; readonly step: number }): Envelope {
  const { subject, step, ...more } = of;
  const body = JSON.stringify({ id: subject, step });
  const about = { subject, key: subject, producer: "carrier", atMs: Date.now(), correlation: id };
  return { id, type: "parcel.scan", schema: 1, ...about, body, ...more };
}

describe.each(siteKinds)("services on %s and PostgreSQL", (kind) => {
  let site: Site;
  beforeAll(async () => {
    site = await openSite(kind);
  });
  afterAll(async () => {
    await site[Symbol.asyncDispose]();
  });

  /** Every message is on the log once, whatever became of its sender. */
  async function expectSaidOnce(depot: Deployment): Promise<void> {
    const ids = (await depot.log(depot.parcels.scans)).map(({ id }) => id);
    expect(ids).toHaveLength(new Set(ids).size);
  }

  describe("a topic deleted and made anew under running services", () => {
    test("is said again by its sender, and read by all from its start", async () => {
      await using depot = await deploy(site, "anew");
      const { scans } = depot.parcels;
      await depot.start("gate");
      await depot.start("ledger");
      await depot.scan(everywhere, 1, 10);
      const scanning = depot.scan(everywhere, 11, 40);
      await site.operator.deleteTopic(scans.name);
      await depot.declare(scans);
      await scanning;
      await depot.untilSteps("gate", everywhere, range(1, 40));
      await depot.untilSteps("ledger", everywhere, range(1, 40));
      expect(depot.said.join("\n")).toMatch(/lost messages that it had confirmed|the log is another one|LOG_CHANGED/);
    });

    test("takes what is scanned from now on where it was a door, and drops what is repeated there", async () => {
      await using depot = await deploy(site, "door");
      const { door } = depot.parcels;
      await depot.start("gate");
      await depot.start("ledger");
      await depot.scan(everywhere, 1, 10);
      await depot.untilSteps("gate", everywhere, range(1, 10));
      await site.operator.deleteTopic(door.name);
      await depot.declare(door);
      await depot.scan(everywhere, 6, 20);
      await depot.untilSteps("ledger", everywhere, range(1, 20));
      expect(depot.said.join("\n")).toMatch(/the log is another one|LOG_CHANGED/);
    });

    test("is a gap until a person decides, when its sender keeps it no longer", async () => {
      await using depot = await deploy(site, "forgotten");
      const { scans } = depot.parcels;
      await depot.start("gate", { limits: { outboxGraceMs: 1 } });
      const first = await depot.start("ledger");
      await depot.scan(everywhere, 1, 5);
      await depot.untilSteps("ledger", everywhere, range(1, 5));
      await first.close();
      await depot.scan(everywhere, 6, 10);
      await depot.untilSteps("gate", everywhere, range(1, 10));
      // What was confirmed is trimmed when more is confirmed, and then more.
      let step = 10;
      await until(async () => {
        step += 1;
        await depot.scan(everywhere, step, step);
        expect(await outboxOf(depot)).not.toContain(10);
      });
      await depot.untilSteps("gate", everywhere, range(1, step));
      await site.operator.deleteTopic(scans.name);
      await depot.declare(scans);
      const ledger = await depot.start("ledger");
      await depot.scan(everywhere, step + 1, step + 5);
      await untilBlocked(ledger, "GAP");
      expect(await depot.stepsOf("ledger", everywhere)).toEqual(everywhere.map(() => range(1, 5)));
      expect(depot.said.join("\n")).toMatch(/error A lane reads no further in a topic.*GAP/);
      await until(async () => {
        await ledger.acceptLoss("ledger", scans.name);
        for (const steps of await depot.stepsOf("ledger", everywhere)) expect(steps.at(-1)).toBe(step + 5);
      });
      for (const steps of await depot.stepsOf("ledger", everywhere)) {
        expect(steps.slice(0, 5)).toEqual(range(1, 5));
        expect(steps.slice(-5)).toEqual(range(step + 1, step + 5));
        expect(steps).toEqual([...new Set(steps)].toSorted((a, b) => a - b));
      }
    });
  });

  /** The steps that lie in the gate's table of what it may have to say again. */
  async function outboxOf({ stores, parcels }: Deployment): Promise<number[]> {
    const steps: number[] = [];
    for (const lane of [0, 1]) {
      for (const partition of range(0, partitions - 1)) {
        const at = { topic: parcels.scans.name, partition };
        const rows = await stores.gate.outbox({ service: "gate", lane, lanes: 2 }, at, 0, 1_000);
        for (const { body } of rows) steps.push(JSON.parse(body as string).step as number);
      }
    }
    return steps;
  }

  test("a broker that is restored without its last messages is told them again", async () => {
    await using depot = await deploy(site, "restored");
    await depot.start("gate");
    const first = await depot.start("ledger");
    await depot.scan(everywhere, 1, 10);
    await depot.untilSteps("ledger", everywhere, range(1, 10));
    const putBack = await momentOf(site.broker);
    await depot.scan(everywhere, 11, 15);
    await depot.untilSteps("ledger", everywhere, range(1, 15));
    await first.close();
    // Acknowledged, and read by nobody when it is lost.
    await depot.scan(everywhere, 16, 20);
    await depot.untilSteps("gate", everywhere, range(1, 20));
    await until(async () => expect((await depot.log(depot.parcels.scans)).length).toBe(20 * everywhere.length));
    await putBack();
    await depot.start("ledger");
    await depot.scan(everywhere, 21, 30);
    await depot.untilSteps("gate", everywhere, range(1, 30));
    await depot.untilSteps("ledger", everywhere, range(1, 30));
    expect(depot.said.join("\n")).toMatch(/lost messages that it had confirmed|LOG_CHANGED|in doubt/);
  });

  test("a database that is put back goes on under a new source, and says nothing twice", async () => {
    await using depot = await deploy(site, "rewound");
    await depot.start("gate");
    const ledger = await depot.start("ledger");
    await depot.scan(everywhere, 1, 10);
    await depot.untilSteps("ledger", everywhere, range(1, 10));
    const putBack = await momentOf(site.databases.gate);
    await depot.scan(everywhere, 11, 20);
    await depot.untilSteps("ledger", everywhere, range(1, 20));
    await putBack();
    await depot.scan(everywhere, 21, 30);
    await depot.untilSteps("gate", everywhere, range(1, 30));
    await depot.untilSteps("ledger", everywhere, range(1, 30));
    await expectSaidOnce(depot);
    expect(depot.said.filter((line) => line.includes("STORE_REWOUND"))).not.toEqual([]);
    const sources = new Set((await depot.log(depot.parcels.scans)).map(({ stamp }) => stamp!.source));
    expect(sources.size).toBe(4);
    expect(blockedIn(ledger)).toEqual([]);
  });

  test("retention that overtook a stopped service is named, and passed only by a person's decision", async () => {
    await using depot = await deploy(site, "overtaken");
    const { scans } = depot.parcels;
    await depot.start("gate");
    const first = await depot.start("ledger");
    await depot.scan(everywhere, 1, 5);
    await depot.untilSteps("ledger", everywhere, range(1, 5));
    await first.close();
    await depot.scan(everywhere, 6, 10);
    await until(async () => expect((await depot.log(scans)).length).toBe(10 * everywhere.length));
    await site.operator.deleteMessages(scans.name);
    const ledger = await depot.start("ledger");
    await untilBlocked(ledger, "RETENTION_PASSED");
    await depot.scan(everywhere, 11, 15);
    await depot.untilSteps("gate", everywhere, range(1, 15));
    await until(async () => expect((await depot.log(scans)).length).toBe(5 * everywhere.length));
    await untilBlocked(ledger, "RETENTION_PASSED");
    expect(await depot.stepsOf("ledger", everywhere)).toEqual(everywhere.map(() => range(1, 5)));
    expect(depot.said.join("\n")).toMatch(/error A lane reads no further in a topic.*RETENTION_PASSED/);
    expect(await ledger.acceptLoss("ledger", scans.name)).toBe(true);
    await depot.untilSteps("ledger", everywhere, [...range(1, 5), ...range(11, 15)]);
    await until(() => expect(blockedIn(ledger)).toEqual([]));
  });

  test("what a foreign producer puts in the wrong partition is passed on in order, and its repeats are dropped", async () => {
    await using depot = await deploy(site, "hashed");
    const { door } = depot.parcels;
    const gate = await depot.start("gate");
    await depot.start("ledger");
    const [parcel] = idsIn(2, 1) as [string];
    const said = range(1, 20).map((step) => strange(`c${step}`, { subject: parcel, step }));
    // Each twice in a row, as a client that repeats what was not acknowledged in time.
    for (const one of said) await depot.append(door, 1, [one, one]);
    await depot.untilSteps("ledger", [parcel], range(1, 20));
    await depot.append(door, 1, said.slice(0, 5));
    await depot.append(door, partitionOf(parcel, partitions), said.slice(5, 10));
    // The same producer with both hashes at once, as while it is being replaced: two lanes meet each message.
    const [other, last] = idsIn(2, 3).slice(1) as [string, string];
    for (const step of range(1, 40)) {
      const one = strange(`d${step}`, { subject: other, step });
      await Promise.all([depot.append(door, 1, [one]), depot.append(door, partitionOf(other, partitions), [one])]);
    }
    await depot.append(door, 1, [strange("last", { subject: last, step: 1 })]);
    await depot.untilSteps("ledger", [last], [1]);
    await depot.untilSteps("gate", [parcel], range(1, 20));
    await depot.untilSteps("ledger", [parcel], range(1, 20));
    const [met] = await depot.stepsOf("gate", [other]);
    expect(met!.toSorted((a, b) => a - b)).toEqual(range(1, 40));
    await expectSaidOnce(depot);
    expect(sum(gate, "passedOn")).toBe(20 + 40 + 1);
  });

  test("a stranger on a topic of ours is dropped, parked or named, and never believed", async () => {
    await using depot = await deploy(site, "stranger");
    const { scans } = depot.parcels;
    await depot.start("gate");
    const ledger = await depot.start("ledger");
    await depot.scan(everywhere, 1, 5);
    await depot.untilSteps("ledger", everywhere, range(1, 5));
    const [parcel, quiet] = [idsIn(0, 1)[0]!, idsIn(1, 1)[0]!];
    const ours = (await depot.log(scans)).findLast(({ subject }) => subject === parcel)!;
    const forge = (id: string, n: number): Envelope => {
      const stamp = { source: ours.stamp!.source, n, prev: n - 1 };
      return strange(id, { subject: parcel, step: 666, type: "parcel.scanned", stamp });
    };
    await depot.append(scans, 0, [forge("again", ours.stamp!.n)]);
    const { stamp: _none, ...unstamped } = forge("bare", 1);
    await depot.append(scans, 0, [{ ...unstamped, subject: "nobody" }]);
    await until(async () =>
      expect(await depot.stores.ledger.parkedKeys("ledger")).toMatchObject([
        { key: "nobody", fingerprint: "MESSAGE_UNSTAMPED message parcel.scanned" },
      ]),
    );
    await depot.scan(everywhere, 6, 8);
    await depot.untilSteps("ledger", everywhere, range(1, 8));
    await depot.append(scans, 0, [forge("ahead", 2 ** 40)]);
    await until(() => expect(blockedIn(ledger)).toMatchObject([{ topic: scans.name, code: "GAP" }]));
    expect(blockedIn(ledger)[0]!.reason).toContain(`source ${ours.stamp!.source} is missing its messages`);
    await depot.scan([parcel, quiet], 9, 12);
    await depot.untilSteps("ledger", [parcel, quiet], range(1, 12));
    await until(() => expect(blockedIn(ledger)).toMatchObject([{ topic: scans.name, code: "GAP" }]));
  });

  test("a slow service is overtaken by 50,000 messages, holds a bounded number of them, and catches up", async () => {
    await using depot = await deploy(site, "slow");
    const { door } = depot.parcels;
    const ids = range(0, partitions - 1).flatMap((partition) => idsIn(partition, 125));
    const slow = slowness(20);
    await depot.start("gate", slow);
    const beforeBytes = heldBytes();
    let grownBytes = 0;
    const note = "x".repeat(2_000);
    for (const block of range(0, 9)) {
      for (const partition of range(0, partitions - 1)) {
        const messages = range(block * 10 + 1, block * 10 + 10).flatMap((step) =>
          ids
            .filter((id) => partitionOf(id, partitions) === partition)
            .map((id) => strange(`${id}-${step}`, { subject: id, step, body: JSON.stringify({ id, step, note }) })),
        );
        await depot.append(door, partition, messages);
      }
      grownBytes = Math.max(grownBytes, heldBytes() - beforeBytes);
    }
    await depot.untilSteps("gate", ids, range(1, 100));
    // Of each of two lanes a full shelf, one fetch more, and a batch; and of the log's 110 MB what these weigh.
    expect(slow.mostHeld()).toBeGreaterThan(1_000);
    expect(slow.mostHeld()).toBeLessThanOrEqual(2 * (2_048 + 2_048 + 1_024));
    expect(grownBytes).toBeLessThan(48 << 20);
  });
});
