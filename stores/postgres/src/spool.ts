import type { Spool, Spooled } from "@waybill/messaging";
import { BinaryArray, texts } from "./arrays.ts";
import type { Database } from "./database.ts";
import { messagesIn, RecordWriter } from "./records.ts";

interface Row {
  /** Null in the one row that says that another process has the lease. */
  readonly seq: number | null;
  readonly topic: string;
  readonly partition: number;
  readonly record: Buffer;
}

/** Messages for doors whose broker is away. */
export function spoolOf(database: Database, schema: string): Spool {
  const put = `insert into ${schema}.spool (topic, partition, record)
    select topic, partition, record from unnest($1::text[], $2::int[], $3::bytea[])
      with ordinality as u(topic, partition, record, number) order by number`;
  // From topic to topic, so that many messages of one that is stuck are not looked through for those of the others.
  const wanted = `with recursive topics as (
      (select topic from ${schema}.spool order by topic limit 1)
      union all
      select (select s.topic from ${schema}.spool as s where s.topic > t.topic order by s.topic limit 1)
        from topics as t where t.topic is not null
    ), wanted as (
      select s.* from topics as t cross join lateral (
        select * from ${schema}.spool as l where l.topic = t.topic order by seq limit $2) as s
       where t.topic <> all ($4::text[])
       order by seq limit $2
    )`;
  // The lease is asked for only when there is something to lease, and it ends when there is nothing left.
  const take = `${wanted}, lease as (
      update ${schema}.spool_lease set holder = $1, until = clock_timestamp() + $3::float8 * interval '1 ms'
       where (holder = $1 or until <= clock_timestamp()) and exists (select from wanted) returning 1)
    select w.* from lease, wanted as w
    union all
    select null, null, null, null where exists (select from wanted) and not exists (select from lease)
    order by seq`;
  const look = `select seq, topic, partition, record from ${schema}.spool where topic = $1 and partition = $2 order by seq limit $3`;
  const remove = `with gone as (delete from ${schema}.spool where seq = any ($1::bigint[]))
    update ${schema}.spool_lease set until = '-infinity'
     where not exists (select from ${schema}.spool where seq <> all ($1::bigint[]))`;

  return {
    async put(messages) {
      if (messages.length === 0) return;
      const partitions = new BinaryArray("int");
      const records = new BinaryArray("bytea");
      const writer = new RecordWriter();
      for (const message of messages) {
        partitions.int(message.partition);
        writer.add(message);
        records.bytes(writer.take());
      }
      const topics = texts(messages.map(({ topic }) => topic));
      await database.rows({ name: "spoolPut", text: put }, [topics, partitions.take(), records.take()]);
    },
    async take(by, limit, leaseMs, except) {
      const rows = await database.rows<Row>({ name: "spoolTake", text: take }, [
        by,
        limit,
        leaseMs,
        texts(except) ?? "{}",
      ]);
      return rows[0]?.seq === null ? undefined : rows.map(spooledOf);
    },
    async look(topic, partition, limit) {
      const rows = await database.rows<Row>({ name: "spoolLook", text: look }, [topic, partition, limit]);
      return rows.map(spooledOf);
    },
    async remove(seqs) {
      if (seqs.length === 0) return;
      const array = new BinaryArray("bigint");
      for (const seq of seqs) array.bigint(seq);
      await database.rows({ name: "spoolRemove", text: remove }, [array.take()]);
    },
  };
}

function spooledOf({ seq, record, ...place }: Row): Spooled {
  return { ...messagesIn(record, place)[0]!, seq: seq! };
}
