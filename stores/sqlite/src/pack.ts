import type { Fold } from "./fold.ts";
import { pushRecord, sizeOf } from "./records.ts";
import { topicSpan, type Cell, type WriteName } from "./tables.ts";
import type { Segment } from "./topic-log.ts";
import type { Wave } from "./wave.ts";

/** The rows of one kind of write, flat: each takes as many cells as the write is wide. */
export interface PackedWrite {
  readonly write: WriteName;
  readonly cells: Cell[];
}

/** A stretch of one topic's log: its messages as flat records. */
export interface PackedChunk {
  readonly off: number;
  readonly count: number;
  readonly atMin: number;
  readonly atMax: number;
  readonly bytes: number;
  readonly cells: Cell[];
}

export interface PackedWave {
  readonly writes: PackedWrite[];
  readonly chunks: PackedChunk[];
}

/** Above this a topic's messages of one wave go into another chunk, in about bytes: what a slow reader reads at once. */
const chunkBytesMax = 256 * 1024;

/** A wave as the writer takes it: flat arrays of primitives, which cost least to hand to another thread. */
export function pack(wave: Wave): PackedWave {
  const packed = new Map<WriteName, Cell[]>();
  const to = (write: WriteName): Cell[] => {
    let cells = packed.get(write);
    if (cells === undefined) packed.set(write, (cells = []));
    return cells;
  };
  packLanes(wave, to);
  packStates(wave, to);
  packPositions(wave, to);
  packSending(wave, to);
  packTimers(wave, to);
  packEffects(wave, to);
  packParked(wave, to);
  each(wave.seen, (service, row) => to("seenPut").push(service, row.source, row.id, row.atMs));
  packTopics(wave, to);
  const writes: PackedWrite[] = [...wave.extra];
  for (const [write, cells] of packed) writes.push({ write, cells });
  return { writes, chunks: wave.segments.flatMap(chunksOf) };
}

type To = (write: WriteName) => Cell[];

function each<Key, Row extends Key>(
  fold: Fold<Key, Row>,
  put: (service: string, row: Row) => void,
  gone?: (service: string, key: Key) => void,
): void {
  for (const [service, group] of fold.groups) {
    for (const change of group.values()) {
      if (change.row !== undefined) put(service, change.row);
      else gone?.(service, change.key);
    }
  }
}

function packLanes(wave: Wave, to: To): void {
  for (const { row, lanes } of wave.lanes.values()) {
    to("lanePut").push(row.service, row.lane, lanes, row.source, row.owner ?? null, row.epoch, row.batch, row.nextN);
    to("lanePut").push(row.timeMs, row.level, row.tries, row.suspect ?? null, row.stopped ?? null);
  }
}

function packStates(wave: Wave, to: To): void {
  if (wave.states.size === 0) return;
  const inserts = to("stateInsert");
  const updates = to("stateUpdate");
  for (const [service, kinds] of wave.states.services) {
    for (const { write, base } of [...kinds.values()].flatMap((ids) => [...ids.values()])) {
      const { kind, id, home, version, schema, body } = write;
      if (body === undefined) {
        if (base > 0) to("stateDelete").push(service, kind, id, base);
      } else if (base === 0) inserts.push(service, kind, id, home, version, schema, body);
      else updates.push(home, version, schema, body, service, kind, id, base);
    }
  }
}

function packPositions(wave: Wave, to: To): void {
  each(wave.positions, (service, row) => {
    const { topic, partition, logId, nextOffset, lastOffset, lastId } = row;
    const marks = JSON.stringify(row.marks);
    to("positionPut").push(service, topic, partition, logId, nextOffset, lastOffset ?? null, lastId ?? null, marks);
  });
}

function packSending(wave: Wave, to: To): void {
  each(wave.outbox, (service, { lane, topic, partition, n, message }) => {
    const { body, ...headers } = message;
    to("outboxPut").push(service, lane, topic, partition, n, JSON.stringify(headers), body);
  });
  each(wave.sent, (service, { lane, topic, partition, n, logId, lastOffset }) =>
    to("sentPut").push(service, lane, topic, partition, n, logId, lastOffset),
  );
}

function packTimers(wave: Wave, to: To): void {
  each(
    wave.timers,
    (service, row) => {
      const { partition, key, name, dueMs, schema, body, correlation, causation } = row;
      to("timerPut").push(service, partition, key, name, dueMs, schema, body, correlation, causation);
    },
    (service, { partition, key, name }) => to("timerDelete").push(service, partition, key, name),
  );
}

function packEffects(wave: Wave, to: To): void {
  each(
    wave.effects,
    (service, row) => {
      const cells = to("effectPut");
      cells.push(
        service,
        row.partition,
        row.key,
        row.queue,
        row.seq,
        row.id,
        row.name,
        row.schema,
        row.input,
        row.attempts,
      );
      cells.push(
        row.firstMs ?? null,
        row.dueMs,
        row.error ?? null,
        row.correlation,
        row.causation,
        row.traceparent ?? null,
      );
    },
    (service, { partition, key, queue, seq }) => to("effectDelete").push(service, partition, key, queue, seq),
  );
}

function packParked(wave: Wave, to: To): void {
  each(
    wave.parked,
    (service, { partition, key, seq, kind, origin, id, type, headers, body }) =>
      to("parkedPut").push(service, partition, key, seq, kind, origin, id, type, headers, body),
    (service, { partition, key, seq }) => to("parkedDelete").push(service, partition, key, seq),
  );
  each(
    wave.parkedKeys,
    (service, row) => {
      const { partition, key, sinceMs, attempts, dueMs, build, fingerprint, error } = row;
      to("parkedKeyPut").push(service, partition, key, sinceMs, attempts, dueMs ?? null, build, fingerprint, error);
    },
    (service, { partition, key }) => to("parkedKeyDelete").push(service, partition, key),
  );
}

function packTopics(wave: Wave, to: To): void {
  for (const { id, spec, logId, nextOffset, firstOffset, bytes, ends } of wave.topics) {
    const { name, partitions, bytesMax, retentionMs, retentionBytes } = spec;
    to("topicPut").push(id, name, logId, partitions, bytesMax, retentionMs ?? null, retentionBytes ?? null);
    to("topicPut").push(nextOffset, firstOffset, bytes, JSON.stringify(ends));
  }
}

function chunksOf(segment: Segment): PackedChunk[] {
  const chunks: PackedChunk[] = [];
  const { topic, first, messages } = segment;
  const count = Math.ceil(segment.bytes / chunkBytesMax);
  const step = Math.ceil(messages.length / count);
  for (let at = 0; at < messages.length; at += step)
    chunks.push(chunkOf(topic.id * topicSpan + first + at, messages.slice(at, at + step)));
  return chunks;
}

function chunkOf(off: number, messages: Segment["messages"]): PackedChunk {
  const cells: Cell[] = [];
  let atMin = Infinity;
  let atMax = -Infinity;
  let bytes = 0;
  for (const message of messages) {
    atMin = Math.min(atMin, message.atMs);
    atMax = Math.max(atMax, message.atMs);
    bytes += sizeOf(message);
    pushRecord(cells, message, message.partition);
  }
  return { off, count: messages.length, atMin, atMax, bytes, cells };
}
