import type { OutgoingMessage, Store } from "@waybill/messaging";
import { BinaryArray } from "./arrays.ts";
import type { Database } from "./database.ts";
import { outgoingIn } from "./records.ts";

interface Row {
  readonly first: number;
  readonly records: Buffer;
}

/** What a lane has committed to send, beyond what it holds in memory. */
export function outboxCalls(database: Database, schema: string): Pick<Store, "outbox" | "trimOutbox"> {
  // No more rows than hold the messages that are asked for: each has one at least, but those of the first may be passed.
  const read = `select first, records from (
      select last_n, first_n as first, records, sum(count) over w - count - first_value(count) over w as before
        from (select last_n, first_n, records, count from ${schema}.outbox
               where service = $1 and lane = $2 and topic = $3 and partition = $4 and last_n > $5
               order by last_n limit $6) as rows window w as (order by last_n)) as counted
    where before < $6 order by last_n`;
  const rowsOf = (which: string): string => `cross join lateral (select l.ctid from ${schema}.outbox as l
      where service = $1 and lane = $2 and l.topic = u.topic and l.partition = u.partition and ${which}) as f`;
  // Only the first row above a number can hold some that are not.
  const trim = `with upto as (select * from unnest($3::text[], $4::int[], $5::bigint[]) as u(topic, partition, n)),
      gone as (delete from ${schema}.outbox as o
        using upto as u ${rowsOf("last_n <= u.n offset 0")} where o.ctid = f.ctid)
    update ${schema}.outbox as o set first_n = u.n + 1
      from upto as u ${rowsOf("last_n > u.n order by last_n limit 1")} where o.ctid = f.ctid and o.first_n <= u.n`;

  return {
    async outbox({ service, lane }, { topic, partition }, afterN, limit) {
      const values = [service, lane, topic, partition, afterN, limit];
      const rows = await database.rows<Row>({ name: "outbox", text: read }, values);
      const messages: OutgoingMessage[] = [];
      for (const { first, records } of rows) {
        for (const message of outgoingIn(records, { topic, partition })) {
          if (message.stamp.n >= first && message.stamp.n > afterN) messages.push(message);
          if (messages.length === limit) return messages;
        }
      }
      return messages;
    },
    async trimOutbox({ service, lane }, upTo) {
      if (upTo.length === 0) return;
      const [topics, partitions, numbers] = [
        new BinaryArray("text"),
        new BinaryArray("int"),
        new BinaryArray("bigint"),
      ] as const;
      for (const { topic, partition, n } of upTo) {
        topics.text(topic);
        partitions.int(partition);
        numbers.bigint(n);
      }
      const values = [service, lane, topics.take(), partitions.take(), numbers.take()];
      await database.rows({ name: "trimOutbox", text: trim }, values);
    },
  };
}
