import {
  messageOf,
  WaybillError,
  type Batch,
  type EffectRow,
  type OutgoingMessage,
  type StateWrite,
} from "@waybill/messaging";
import type { BinaryArray } from "./arrays.ts";
import { emptyArrays, type Arrays } from "./columns.ts";
import { RecordWriter } from "./records.ts";
import { seldomOf } from "./seldom.ts";

/** How many characters of bodies a row of the outbox holds before another one is begun. */
const rowSizeMax = 262_144;

/** Writes batches as the values of `commit_batch_1`. What it gives is valid until it writes the next one. */
export class CommitParams {
  readonly #arrays = emptyArrays();
  readonly #inOrder: readonly BinaryArray[] = Object.values(this.#arrays).flatMap((group) =>
    Object.values<BinaryArray>(group),
  );
  readonly #records = new RecordWriter();

  /** Throws BATCH_REFUSED when a number does not fit into its column. */
  write(batch: Batch): unknown[] {
    const { service, lane, epoch, count, timeMs, level } = batch;
    try {
      this.#fill(batch);
    } catch (cause) {
      for (const array of this.#inOrder) array.take();
      throw new WaybillError("BATCH_REFUSED", `A value does not fit into its column: ${messageOf(cause)}`, { cause });
    }
    const scalars = [service, lane, epoch, batch.batch, count, timeMs, level];
    return [...scalars, ...this.#inOrder.map((array) => array.take()), seldomOf(batch)];
  }

  #fill(batch: Batch): void {
    const arrays = this.#arrays;
    writePositions(arrays, batch);
    for (const write of batch.states) writeState(arrays, write);
    if (batch.messages.length > 0) this.#writeOutbox(batch.messages);
    writeSent(arrays, batch);
    writeTimers(arrays, batch);
    writeEffects(arrays, batch);
    writeSeen(arrays, batch);
  }

  /** A row holds what goes to one destination. */
  #writeOutbox(messages: readonly OutgoingMessage[]): void {
    const destinations = new Map<string, OutgoingMessage[]>();
    for (const message of messages) {
      const name = `${message.partition}/${message.topic}`;
      const list = destinations.get(name);
      if (list === undefined) destinations.set(name, [message]);
      else list.push(message);
    }
    for (const list of destinations.values()) {
      for (let from = 0; from < list.length;) from = this.#writeOutboxRow(list, from);
    }
  }

  /** Returns the index of the first message that is not in the row. */
  #writeOutboxRow(list: readonly OutgoingMessage[], from: number): number {
    const first = list[from]!;
    let end = from;
    let size = 0;
    do {
      const message = list[end]!;
      this.#records.add(message);
      size += message.body.length;
      end += 1;
    } while (end < list.length && size + list[end]!.body.length <= rowSizeMax);
    const { outbox } = this.#arrays;
    outbox.topic.text(first.topic);
    outbox.partition.int(first.partition);
    outbox.last.bigint(list[end - 1]!.stamp.n);
    outbox.first.bigint(first.stamp.n);
    outbox.count.int(end - from);
    outbox.records.bytes(this.#records.take());
    return end;
  }
}

function writePositions({ position }: Arrays, { positions }: Batch): void {
  for (const row of positions) {
    position.topic.text(row.topic);
    position.partition.int(row.partition);
    position.log.text(row.logId);
    position.next.bigint(row.nextOffset);
    position.last.bigint(row.lastOffset);
    position.last_id.text(row.lastId);
    position.marks.text(JSON.stringify(row.marks));
  }
}

function writeState({ made, changed, deleted }: Arrays, { kind, id, home, version, schema, body }: StateWrite): void {
  if (body === undefined) {
    deleted.kind.text(kind);
    deleted.id.text(id);
    deleted.version.bigint(version);
    return;
  }
  const to = version === 1 ? made : changed;
  to.kind.text(kind);
  to.id.text(id);
  to.home.int(home);
  to.schema.int(schema);
  to.body.text(body);
  if (version !== 1) changed.version.bigint(version);
}

function writeSent({ sent }: Arrays, batch: Batch): void {
  for (const row of batch.sent) {
    sent.topic.text(row.topic);
    sent.partition.int(row.partition);
    sent.n.bigint(row.n);
    sent.log.text(row.logId);
    sent.last.bigint(row.lastOffset);
  }
}

function writeTimers({ timer, cleared }: Arrays, { timers }: Batch): void {
  for (const row of timers.cleared) {
    cleared.partition.int(row.partition);
    cleared.key.text(row.key);
    cleared.name.text(row.name);
  }
  for (const row of timers.set) {
    timer.partition.int(row.partition);
    timer.key.text(row.key);
    timer.name.text(row.name);
    timer.due.float(row.dueMs);
    timer.schema.int(row.schema);
    timer.body.text(row.body);
    timer.correlation.text(row.correlation);
    timer.causation.text(row.causation);
  }
}

function writeEffects({ effect, done }: Arrays, { effects }: Batch): void {
  for (const row of effects.done) {
    done.partition.int(row.partition);
    done.key.text(row.key);
    done.queue.text(row.queue);
    done.seq.bigint(row.seq);
  }
  const first = firstOfEach(effects.added);
  for (const row of effects.added) {
    effect.partition.int(row.partition);
    effect.key.text(row.key);
    effect.queue.text(row.queue);
    effect.seq.bigint(row.seq);
    effect.first.boolean(first.get(queueOf(row)) === row.seq);
    effect.id.text(row.id);
    effect.name.text(row.name);
    effect.schema.int(row.schema);
    effect.input.text(row.input);
    effect.attempts.int(row.attempts);
    effect.first_ms.float(row.firstMs);
    effect.due.float(row.dueMs);
    effect.error.text(row.error);
    effect.correlation.text(row.correlation);
    effect.causation.text(row.causation);
    effect.traceparent.text(row.traceparent);
  }
}

/** The lowest number of each entity and queue. */
function firstOfEach(rows: readonly EffectRow[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const row of rows) {
    const queue = queueOf(row);
    first.set(queue, Math.min(row.seq, first.get(queue) ?? row.seq));
  }
  return first;
}

function queueOf({ partition, key, queue }: EffectRow): string {
  return `${partition}/${queue}\n${key}`;
}

function writeSeen({ seen }: Arrays, batch: Batch): void {
  for (const row of batch.seen) {
    seen.source.text(row.source);
    seen.id.text(row.id);
    seen.at.float(row.atMs);
  }
}
