import { skus } from "./plan.ts";
import { knownProductsOf, ordersOf, paymentsOf, productsOf, reservationsOf, shipmentsOf } from "./look.ts";
import type { People } from "./people.ts";
import type { Scene } from "./scene.ts";
import { buildOf } from "./build.ts";

const overFor: Readonly<Record<string, readonly string[]>> = {
  order: ["completed", "rejected", "cancelled"],
  payment: ["captured", "declined", "voided", "refunded"],
  reservation: ["refused", "released", "shipped"],
  shipment: ["dispatched", "delivered", "cancelled"],
};

/** Orders and what belongs to them that are not over yet, in words; nothing: all are. */
export async function unsettled(scene: Scene, people: People): Promise<string[]> {
  const ids = people.judged;
  const orders = await ordersOf(scene, ids);
  const open = ids.flatMap((id) => {
    const order = orders.get(id);
    if (order === undefined) return [`${id} was acknowledged, and orders does not know it`];
    if (!overFor["order"]!.includes(order.status)) return [`${id} is ${order.status}`];
    return order.attention === undefined ? [] : [`${id} needs a person: ${order.attention}`];
  });
  if (open.length > 0) return open;
  const parts: readonly (readonly [string, Map<string, { status: string }>])[] = [
    ["payment", await paymentsOf(scene, ids)],
    ["reservation", await reservationsOf(scene, ids)],
    ["shipment", await shipmentsOf(scene, ids)],
  ];
  for (const [what, found] of parts) {
    for (const [id, { status }] of found)
      if (!overFor[what]!.includes(status)) open.push(`the ${what} of ${id} is ${status}`);
  }
  return open.length > 0 ? open : unfinished(scene, ids);
}

/** Work that lies in the database or on the logs and is not done. */
async function unfinished(scene: Scene, ids: readonly string[]): Promise<string[]> {
  const { store, logs, setting } = scene;
  const isJudged = ({ key }: { readonly key: string }): boolean => !scene.isRewound || ids.includes(key);
  const open: string[] = [];
  for (const { service, lanes } of buildOf(setting, 1).services) {
    const { name } = service;
    const read = new Set(service.rules.flatMap(({ on }) => (on.kind === "message" ? [on.type.topic.name] : [])));
    for (const parked of (await store.parkedKeys(name)).filter(isJudged))
      open.push(`${name} has set aside ${parked.key}: ${parked.error}`);
    for (let lane = 0; lane < lanes; lane++) {
      const id = { service: name, lane, lanes };
      const row = await store.lane(id);
      if (row.stopped !== undefined) open.push(`${name}/${lane} has stopped: ${row.stopped}`);
      for (const effect of (await store.effectHeads(id, Infinity, 100, new Set())).filter(isJudged))
        open.push(`${name} waits for ${effect.name} of ${effect.key}`);
      for (const timer of (await store.timers(id, Infinity, 100)).filter(isJudged))
        open.push(`${name} waits for the timer ${timer.name} of ${timer.key}`);
      const { positions, outbox, sent } = await store.recover(id);
      for (const { topic, partition, lastN } of outbox) {
        const confirmed = sent.find((one) => one.topic === topic && one.partition === partition)?.n ?? 0;
        if (confirmed >= lastN) continue;
        const [last] = await store.outbox(id, { topic, partition }, lastN - 1, 1);
        // What a former owner has sent lies on the log, confirmed or not.
        const isThere = logs.partition(topic, partition).messages.some((message) => message.id === last!.id);
        if (!isThere) open.push(`${name}/${lane} has not sent all to ${topic}/${partition}: ${confirmed} of ${lastN}`);
      }
      // A lane whose tables were lost has no positions before it is somebody's again.
      const known = new Map(positions.map((position) => [`${position.topic}/${position.partition}`, position]));
      for (const topic of read) {
        for (let partition = lane; partition < setting.partitions; partition += lanes) {
          const { nextOffset = 0, logId = "" } = known.get(`${topic}/${partition}`) ?? {};
          const last = logs.partition(topic, partition).messages.at(-1);
          const isOther = logId !== "" && logId !== logs.topic(topic).logId;
          if (last !== undefined && (isOther || nextOffset <= last.offset))
            open.push(`${name}/${lane} has not read ${topic}/${partition} to its end`);
        }
      }
    }
  }
  return open.length > 0 || scene.isRewound ? open : unknownProducts(scene);
}

async function unknownProducts(scene: Scene): Promise<string[]> {
  const [sold, known] = [await productsOf(scene, skus), await knownProductsOf(scene, skus)];
  return skus
    .filter((sku) => sold.get(sku)?.price !== known.get(sku)?.price || sold.get(sku)?.active !== known.get(sku)?.active)
    .map((sku) => `orders has another price of ${sku} than the catalogue`);
}
