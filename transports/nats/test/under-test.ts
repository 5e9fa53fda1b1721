import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Server } from "@waybill/brokers";
import type { TransportUnderTest } from "@waybill/conformance";
import type { Transport } from "@waybill/messaging";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { jetstreamManager, type StoredMsg } from "@nats-io/jetstream";
import { natsTransport } from "@waybill/transport-nats";

/** Transports over one server, which has no streams at the beginning of each case. */
export async function underTest(server: Server): Promise<TransportUnderTest> {
  const { url } = server;
  const admin = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  await removeStreams(admin);
  const first = await natsTransport({ servers: url });
  const open = [first];
  return {
    transport: first,
    async reopen() {
      await first[Symbol.asyncDispose]();
      const again = await natsTransport({ servers: url });
      open.push(again);
      return again;
    },
    recreate: (topic) => recreate(admin, topic),
    dropBefore: async (topic, _partition, offset) => {
      await (await jetstreamManager(admin)).streams.purge(topic, { seq: offset });
    },
    loseTail: (topic, _partition, count) => loseTail(admin, server, open.at(-1)!, topic, count),
    leaveHole: (topic) => leaveHole(admin, topic),
    appendUnreadable: async (topic, partition, body) => {
      await admin.request(`${topic}.${partition}.strange`, body, { timeout: 5_000 });
    },
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((transport) => transport[Symbol.asyncDispose]()));
      await admin.close();
    },
  };
}

async function removeStreams(admin: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(admin);
  for await (const name of manager.streams.names()) await manager.streams.delete(name);
}

async function recreate(admin: NatsConnection, topic: string): Promise<void> {
  const manager = await jetstreamManager(admin);
  const { config } = await manager.streams.info(topic);
  await manager.streams.delete(topic);
  await manager.streams.add(config);
}

/** A message of no partition, under a subject that the stream has for this moment only. */
async function leaveHole(admin: NatsConnection, topic: string): Promise<void> {
  const manager = await jetstreamManager(admin);
  const { config } = await manager.streams.info(topic);
  await manager.streams.update(topic, { ...config, subjects: [...config.subjects, `hole.${topic}`] });
  await admin.request(`hole.${topic}`, "", { timeout: 5_000 });
  await manager.streams.update(topic, config);
}

/**
 * As after a disk that kept a stream's settings and not its end: the messages' files are removed, and all but the last
 * messages are stored again, which gives them the sequences that they had.
 */
async function loseTail(
  admin: NatsConnection,
  server: Server,
  transport: Transport,
  topic: string,
  count: number,
): Promise<void> {
  const manager = await jetstreamManager(admin);
  const { state } = await manager.streams.info(topic);
  const kept: StoredMsg[] = [];
  for (let seq = 1; seq <= state.last_seq - count; seq++) {
    const message = await manager.streams.getMessage(topic, { seq });
    if (message === null)
      throw new Error(`There is no message ${seq} in ${topic}; a tail is cut off dense streams only.`);
    kept.push(message);
  }
  await server.stop();
  rmSync(join(server.folder, "data", "jetstream", "$G", "streams", topic, "msgs"), { recursive: true });
  await server.start();
  for (const { subject, data, header } of kept) await republish(admin, subject, data, header);
  await reachable(transport, topic);
}

async function republish(
  admin: NatsConnection,
  subject: string,
  data: Uint8Array,
  header: StoredMsg["header"],
): Promise<void> {
  // It comes alone this time.
  for (const name of header.keys()) if (name.startsWith("Nats-Batch-")) header.delete(name);
  await until(() => admin.request(subject, data, { timeout: 1_000, headers: header }));
}

async function reachable(transport: Transport, topic: string): Promise<void> {
  await until(() => transport.bounds(topic));
}

/** Repeats what fails until it does not. */
export async function until(attempt: () => Promise<unknown>, msMax = 20_000): Promise<void> {
  const untilMs = performance.now() + msMax;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > untilMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
