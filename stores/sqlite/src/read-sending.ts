import type { LaneId, OutboxDestination, OutgoingMessage, SentRow, TopicPartition } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import type { Overlay } from "./fold.ts";
import { outboxName, sentName, type OutboxKey, type OutboxRow, type SentKey } from "./wave.ts";

const outboxSql = `select n, headers, body from outbox
  where service = ? and lane = ? and topic = ? and partition = ? and n > ? order by n`;
const destinationsSql = `select topic, partition, min(n) as firstN, max(n) as lastN from outbox
  where service = ? and lane = ? group by topic, partition`;
const sentSql = `select topic, partition, n, log_id as logId, last_offset as lastOffset from sent
  where service = ? and lane = ?`;

interface OutboxColumns {
  readonly n: number;
  readonly headers: string;
  readonly body: string | Uint8Array;
}

/** What a lane has still to append to topics that live elsewhere, and how far that is done. */
export function sendingReads(
  connection: Connection,
  outbox: Overlay<OutboxKey, OutboxRow>,
  sent: Overlay<SentKey, SentRow & SentKey>,
) {
  return {
    outbox({ service, lane }: LaneId, to: TopicPartition, afterN: number, limit: number): OutgoingMessage[] {
      const { topic, partition } = to;
      const rows = outbox
        .rows(service)
        .filter((row) => row.lane === lane && row.topic === topic && row.partition === partition && row.n > afterN)
        .map(({ n, message }) => ({ n, message }));
      let kept = 0;
      for (const { n, headers, body } of connection.each<OutboxColumns>(
        outboxSql,
        service,
        lane,
        topic,
        partition,
        afterN,
      )) {
        if (outbox.get(service, outboxName({ lane, topic, partition, n })) !== undefined) continue;
        rows.push({ n, message: { ...(JSON.parse(headers) as Omit<OutgoingMessage, "body">), body } });
        kept += 1;
        if (kept === limit) break;
      }
      return rows
        .toSorted((a, b) => a.n - b.n)
        .slice(0, limit)
        .map(({ message }) => message);
    },

    destinations({ service, lane }: LaneId): OutboxDestination[] {
      const found = new Map<string, OutboxDestination>();
      const join = ({ topic, partition, firstN, lastN }: OutboxDestination): void => {
        const name = `${topic}\n${partition}`;
        const known = found.get(name);
        const low = Math.min(known?.firstN ?? firstN, firstN);
        found.set(name, { topic, partition, firstN: low, lastN: Math.max(known?.lastN ?? lastN, lastN) });
      };
      for (const row of connection.all<OutboxDestination>(destinationsSql, service, lane)) join(row);
      for (const row of outbox.rows(service)) if (row.lane === lane) join({ ...row, firstN: row.n, lastN: row.n });
      return [...found.values()];
    },

    sent({ service, lane }: LaneId): SentRow[] {
      const newer = sent.rows(service).filter((row) => row.lane === lane);
      const older = connection
        .all<SentRow>(sentSql, service, lane)
        .filter((row) => sent.get(service, sentName({ ...row, lane })) === undefined);
      return [...older, ...newer].map(({ topic, partition, n, logId, lastOffset }) => ({
        topic,
        partition,
        n,
        logId,
        lastOffset,
      }));
    },
  };
}
