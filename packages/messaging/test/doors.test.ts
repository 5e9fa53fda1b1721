import { type } from "arktype";
import { expect, test } from "vitest";
import { command, service, topic, when, type Envelope } from "@waybill/messaging";
import { count, counted, counter, tally, tallier, thing } from "./counter.ts";
import { deploy, idsIn, type Deployment } from "./deployment.ts";

const windowMs = 600_000;
const knocks = topic("knocks-in", { door: true, dedupeMs: windowMs, bytesMax: 4_000 });
const knock = command("door.knock", {
  topic: knocks,
  schema: type({ id: "string", "pad?": "string" }),
  subject: (m) => m.id,
  samples: [{ id: "a" }],
});

const porter = service("porter", {
  on: [
    when(
      knock,
      (m) => [thing(m.id)],
      (_m, [held], out) => {
        out.save(held, { total: (held.value?.total ?? 0) + 1, rings: 0, answers: [] });
      },
    ),
  ],
});

/** What somebody who is not ours writes: wherever he likes, and without a stamp. */
async function write(
  shop: Deployment,
  where: { topic: string; partition: number },
  envelope: Partial<Envelope> & { readonly id: string; readonly subject: string },
): Promise<void> {
  const message: Envelope = {
    type: "door.knock",
    schema: 1,
    key: envelope.subject,
    producer: "stranger",
    atMs: shop.store.nowMs(),
    correlation: envelope.id,
    body: JSON.stringify({ id: envelope.subject }),
    ...envelope,
  };
  await shop.transport.append([{ ...where, messages: [message] }], new AbortController().signal);
  await shop.world.settle();
}

async function open(): Promise<Deployment> {
  const shop = await deploy();
  await shop.transport.declare({ name: "knocks-in", partitions: shop.partitions, bytesMax: 4_000 });
  return shop;
}

async function knocked(shop: Deployment, id: string, atLeast = 1): Promise<number> {
  await shop.until(`${id} has knocked`, async () => ((await shop.read("porter", thing(id)))?.total ?? 0) >= atLeast);
  await shop.world.advance(3_000);
  return (await shop.read("porter", thing(id)))!.total;
}

test("a message in the wrong partition for its key is passed on to its owner, once, and counted", async () => {
  const shop = await open();
  const { worker } = await shop.start({ services: [porter], lanes: 4 });
  const [id] = idsIn(2, shop.partitions, 1);
  await write(shop, { topic: "knocks-in", partition: 0 }, { id: "k1", subject: id! });
  await write(shop, { topic: "knocks-in", partition: 0 }, { id: "k1", subject: id! });
  expect(await knocked(shop, id!)).toBe(1);
  const [row] = await shop.store.load("porter", [{ kind: "thing", id: id! }]);
  expect(row!.home).toBe(2);
  expect(worker.lanes().map(({ counts }) => counts.passedOn)).toEqual([1, 0, 0, 0]);
});

test("a repeat within the window is dropped, in the same batch and in a later one, by any owner", async () => {
  const shop = await open();
  const [id] = idsIn(1, shop.partitions, 1);
  const where = { topic: "knocks-in", partition: 1 };
  await write(shop, where, { id: "k1", subject: id! });
  await write(shop, where, { id: "k1", subject: id! });
  const first = await shop.start({ services: [porter], lanes: 2 });
  expect(await knocked(shop, id!)).toBe(1);
  first.kill();
  await shop.world.advance(6_000);
  await shop.start({ services: [porter], lanes: 2 });
  await write(shop, where, { id: "k1", subject: id! });
  await write(shop, where, { id: "k1", subject: id!, producer: "another" });
  expect(await knocked(shop, id!, 2)).toBe(2);
});

test("a repeat that lies in two partitions at once is dropped, by whichever lane meets it first", async () => {
  const shop = await open();
  const [id] = idsIn(2, shop.partitions, 1);
  for (const partition of [0, 2, 1, 2])
    await write(shop, { topic: "knocks-in", partition }, { id: "k1", subject: id! });
  const { worker } = await shop.start({ services: [porter], lanes: 4 });
  expect(await knocked(shop, id!)).toBe(1);
  expect(worker.lanes().flatMap(({ blocked }) => blocked)).toEqual([]);
});

test("what doors have seen is forgotten after the window, by the store's clock", async () => {
  const shop = await open();
  const [id] = idsIn(1, shop.partitions, 1);
  const where = { topic: "knocks-in", partition: 1 };
  await shop.start({ services: [porter], lanes: 2 });
  await write(shop, where, { id: "k1", subject: id!, atMs: 1 });
  await write(shop, where, { id: "k2", subject: id!, atMs: Number.MAX_SAFE_INTEGER });
  expect(await knocked(shop, id!, 2)).toBe(2);
  const known = [
    { source: "stranger", id: "k1" },
    { source: "stranger", id: "k2" },
  ];
  await shop.world.advance(windowMs / 2);
  expect(await shop.store.seen("porter", known)).toHaveLength(2);
  await shop.world.advance(windowMs / 2 + 120_000);
  expect(await shop.store.seen("porter", known)).toEqual([]);
});

test("a message without a stamp on a stamped topic is parked, and hides nothing", async () => {
  const shop = await open();
  await shop.start({ lanes: 2 });
  const [mine] = idsIn(0, shop.partitions, 1);
  await write(
    shop,
    { topic: "counts", partition: 0 },
    { id: "x", subject: "intruder", type: counted.name, body: JSON.stringify({ id: "intruder", total: 9 }) },
  );
  await shop.publish(count, { id: mine!, by: 1 });
  await shop.until("mine is tallied", async () => (await shop.read("tallier", tally(mine!)))?.seen.length === 1);
  expect(await shop.store.parkedKeys("tallier")).toMatchObject([
    { key: "intruder", fingerprint: "MESSAGE_UNSTAMPED message thing.counted" },
  ]);
});

test("what is no envelope on a stamped topic is parked, and is no reason to wait for a newer build", async () => {
  const shop = await open();
  shop.transport.appendUnreadable("counts", 0, new Uint8Array([1]));
  await shop.start({ lanes: 2 });
  const [mine] = idsIn(0, shop.partitions, 1);
  await shop.publish(count, { id: mine!, by: 1 });
  await shop.until("mine is tallied", async () => (await shop.read("tallier", tally(mine!)))?.seen.length === 1);
  expect(await shop.store.parkedKeys("tallier")).toMatchObject([{ key: "counts/0/0" }]);
});

test("what is no envelope, no JSON, or of no known type is parked and the rest flows on", async () => {
  const shop = await open();
  const where = { topic: "knocks-in", partition: 1 };
  const [a, b, fine] = idsIn(1, shop.partitions, 3);
  shop.transport.appendUnreadable("knocks-in", 1, new Uint8Array([0xff, 0x00]));
  await write(shop, where, { id: "k1", subject: a!, body: "{" });
  await write(shop, where, { id: "k2", subject: b!, type: "door.kick" });
  await write(shop, where, { id: "k3", subject: fine! });
  await shop.start({ services: [porter], lanes: 2 });
  expect(await knocked(shop, fine!)).toBe(1);
  const parked = new Map((await shop.store.parkedKeys("porter")).map((key) => [key.key, key.fingerprint]));
  expect([...parked.keys()].toSorted()).toEqual([a!, b!, "knocks-in/1/0"].toSorted());
  expect(parked.get("knocks-in/1/0")).toMatch(/^MESSAGE_UNREADABLE/);
  expect(parked.get(a!)).toMatch(/^MESSAGE_UNREADABLE/);
  expect(parked.get(b!)).toMatch(/^MESSAGE_UNKNOWN/);
});

test.each([
  ["subject", "x".repeat(201)],
  ["subject", "a\nb"],
  ["correlation", "c".repeat(1_000)],
  ["id", ""],
  ["producer", "p".repeat(300)],
])("a message whose %s cannot travel on is parked under its position", async (attribute, text) => {
  const shop = await open();
  const [fine] = idsIn(1, shop.partitions, 1);
  const where = { topic: "knocks-in", partition: 1 };
  await write(shop, where, { id: "k1", subject: fine!, [attribute]: text });
  await write(shop, where, { id: "k2", subject: fine! });
  await shop.start({ services: [porter], lanes: 2 });
  expect(await knocked(shop, fine!)).toBe(1);
  expect((await shop.store.parkedKeys("porter")).map(({ key }) => key)).toEqual(["knocks-in/1/0"]);
});

test("what would be too large with a stamp is parked where it lies, and blocks nothing", async () => {
  const shop = await open();
  const [large, fine] = idsIn(2, shop.partitions, 2);
  const where = { topic: "knocks-in", partition: 0 };
  await write(shop, where, { id: "k1", subject: large!, body: JSON.stringify({ id: large, pad: "x".repeat(3_000) }) });
  await write(shop, where, { id: "k2", subject: fine! });
  await shop.start({ services: [porter], lanes: 4 });
  expect(await knocked(shop, fine!)).toBe(1);
  expect(await shop.store.parkedKeys("porter")).toMatchObject([
    { key: large, fingerprint: "MESSAGE_TOO_LARGE message door.knock" },
  ]);
});

test("what a handler may not send is its own failure, with the field named", async () => {
  const shop = await deploy({ partitions: 1 });
  const sends = service("counter", {
    sends: [counted],
    on: [
      when(
        count,
        () => [],
        (m, _none, out) => {
          if (m.id === "wrong") out.send(counted, { id: "x", total: 1.5 });
          if (m.id === "large") out.send(counted, { id: "x", total: 1, pad: "x".repeat(1_000_000) } as never);
          if (m.id === "keyless") out.send(counted, { id: "\u0000", total: 1 });
          if (m.id === "foreign") out.send(count, { id: "x", by: 1 });
          if (m.id === "fine") out.send(counted, { id: "fine", total: 1 });
        },
      ),
    ],
  });
  await shop.start({ services: [sends, tallier], lanes: 1 });
  for (const id of ["wrong", "large", "keyless", "foreign", "fine"]) await shop.publish(count, { id, by: 1 });
  await shop.until(
    "the fine one is tallied",
    async () => (await shop.read("tallier", tally("fine")))?.seen.length === 1,
  );
  const parked = new Map((await shop.store.parkedKeys("counter")).map((key) => [key.key, key]));
  expect([...parked].map(([key, { fingerprint }]) => `${key} ${fingerprint.split(" ")[0]}`)).toEqual([
    "wrong MESSAGE_INVALID",
    "large MESSAGE_TOO_LARGE",
    "keyless KEY_INVALID",
    "foreign TOPIC_FOREIGN",
  ]);
  expect(parked.get("wrong")!.error).toContain("total");
  expect(counter.sends).toContain(counted);
});
