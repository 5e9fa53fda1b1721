import { Writer, type Reader as WireReader } from "@platformatic/kafka";
import { ByteReader } from "./bytes.ts";
import type { TopicPlace } from "./cluster.ts";
import type { Send } from "./line.ts";

/** One batch for one partition. */
export interface ProducePart {
  readonly topic: TopicPlace;
  readonly partition: number;
  readonly bytes: Buffer;
}

export interface ProducedPart {
  /** The topic's id without hyphens, or its name, as it was asked for. */
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly reason: string;
}

const allInSync = -1;

/**
 * An append that is answered when all in-sync replicas have it (API key 0). Version 13 names a topic by its id, so that
 * one made anew meanwhile is not taken for it; version 12, of Kafka 4.0, by its name.
 */
export function produceRequest(parts: readonly ProducePart[], byId: boolean, waitMs: number): Send<ProducedPart[]> {
  const topics = [...Map.groupBy(parts, ({ topic }) => topic.id)];
  const write = (): Writer =>
    Writer.create()
      .appendString(null)
      .appendInt16(allInSync)
      .appendInt32(waitMs)
      .appendArray(topics, (writer, [id, of]) => {
        if (byId) writer.appendUUID(id);
        else writer.appendString(of[0]!.topic.name);
        writer.appendArray(of, (inner, { partition, bytes }) => {
          inner
            .appendInt32(partition)
            .appendUnsignedVarInt(bytes.length + 1)
            .append(bytes);
        });
      })
      .appendTaggedFields();
  return (connection, done) =>
    connection.send(0, byId ? 13 : 12, write, byId ? parseById : parseByName, true, true, done);
}

function parseById(_correlation: number, _key: number, _version: number, wire: WireReader): ProducedPart[] {
  return parse(wire, (reader) => reader.uuid());
}

function parseByName(_correlation: number, _key: number, _version: number, wire: WireReader): ProducedPart[] {
  return parse(wire, text);
}

function parse(wire: WireReader, topicOf: (reader: ByteReader) => string): ProducedPart[] {
  const reader = new ByteReader(wire.buffer.buffer, wire.position);
  const parts: ProducedPart[] = [];
  for (let topics = reader.unsignedVarint() - 1; topics > 0; topics--) {
    const topic = topicOf(reader);
    for (let count = reader.unsignedVarint() - 1; count > 0; count--) parts.push(parsePart(reader, topic));
    reader.skipTags();
  }
  return parts;
}

function parsePart(reader: ByteReader, topic: string): ProducedPart {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const baseOffset = reader.int64();
  reader.int64();
  reader.int64();
  let reason = "";
  for (let count = reader.unsignedVarint() - 1; count > 0; count--) {
    reader.int32();
    reason = text(reader) || reason;
    reader.skipTags();
  }
  reason = text(reader) || reason;
  reader.skipTags();
  return { topic, partition, errorCode, baseOffset, reason };
}

function text(reader: ByteReader): string {
  const length = Math.max(reader.unsignedVarint() - 1, 0);
  reader.at += length;
  return reader.buffer.toString("utf8", reader.at - length, reader.at);
}
