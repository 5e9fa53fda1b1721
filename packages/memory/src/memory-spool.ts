import type { Spool, Spooled, ToSpool, World } from "@waybill/messaging";

/** A spool in memory, for as many processes as ask it. */
export function memorySpool(world: World): Spool {
  let rows: Spooled[] = [];
  let seq = 0;
  let lease = { by: "", untilMs: 0 };
  return {
    async put(messages) {
      rows.push(...messages.map((message) => ({ ...structuredClone(stored(message)), seq: ++seq })));
    },
    async take(by, limit, leaseMs, except) {
      const nowMs = world.monotonicMs();
      const taken = rows.filter(({ topic }) => !except.includes(topic)).slice(0, limit);
      if (lease.by !== by && lease.untilMs > nowMs) return taken.length > 0 ? undefined : [];
      lease = { by, untilMs: taken.length > 0 ? nowMs + leaseMs : 0 };
      return structuredClone(taken);
    },
    async look(topic, partition, limit) {
      const found = rows.filter((row) => row.topic === topic && row.partition === partition);
      return structuredClone(found.slice(0, limit));
    },
    async remove(seqs) {
      const gone = new Set(seqs);
      rows = rows.filter((row) => !gone.has(row.seq));
    },
  };
}

/** What is kept of a message: all but what its sender holds of it in memory. */
function stored(message: ToSpool): ToSpool {
  return { ...message, value: undefined };
}
