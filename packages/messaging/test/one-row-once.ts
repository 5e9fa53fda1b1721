import type { Batch, Store } from "@waybill/messaging";

/** Throws when a batch names a row twice: a database that runs it as one statement would keep either. */
export function assertNamesOnce(batch: Batch): void {
  const effect = (row: { partition: number; key: string; queue: string; seq: number }) =>
    `${row.partition}/${row.key}/${row.queue}/${row.seq}`;
  const timer = (row: { partition: number; key: string; name: string }) => `${row.partition}/${row.key}/${row.name}`;
  const parked = (row: { partition: number; key: string; seq: number }) => `${row.partition}/${row.key}/${row.seq}`;
  const place = (row: { partition: number; key: string }) => `${row.partition}/${row.key}`;
  const { effects, timers, parked: set } = batch;
  once(
    batch,
    "position",
    batch.positions.map(({ topic, partition }) => `${topic}/${partition}`),
  );
  once(
    batch,
    "state",
    batch.states.map(({ kind, id }) => `${kind}/${id}`),
  );
  once(
    batch,
    "message",
    batch.messages.map(({ stamp }) => `${stamp.n}`),
  );
  once(
    batch,
    "sent",
    batch.sent.map(({ topic, partition }) => `${topic}/${partition}`),
  );
  once(batch, "timer", [...timers.set, ...timers.cleared].map(timer));
  once(batch, "effect", [...effects.added, ...effects.done, ...effects.retried].map(effect));
  once(batch, "parked input", [...set.added, ...set.removed].map(parked));
  once(batch, "parked key", [...set.keys, ...set.released].map(place));
  once(
    batch,
    "seen",
    batch.seen.map(({ source, id }) => `${source}/${id}`),
  );
}

function once(batch: Batch, what: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new Error(`Batch ${batch.batch} of ${batch.service}/${batch.lane} names the ${what} ${twice} twice.`);
}

/** A store that takes notice of such a batch. */
export function watched(store: Store, noticed: (error: Error) => void): Store {
  return new Proxy(store, {
    get(target, property) {
      if (property !== "commit") return Reflect.get(target, property) as unknown;
      return (batch: Batch) => {
        try {
          assertNamesOnce(batch);
        } catch (error) {
          noticed(error as Error);
        }
        return target.commit(batch);
      };
    },
  });
}
