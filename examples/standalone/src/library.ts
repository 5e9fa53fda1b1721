import { openPublisher, reads, startWorker, type StoredMessage } from "@waybill/messaging";
import { realWorld, wallClock } from "@waybill/node";
import { openFile, sqliteStore } from "@waybill/store-sqlite";
import { embeddedTransport } from "@waybill/transport-embedded";
import { messages } from "./contracts.ts";
import { fees } from "./fees.ts";
import { lending } from "./lending.ts";

/** How many partitions each topic has, for the life of the folder. */
const partitions = 8;
/** Clock, timers, chance and ids of this machine; warnings go to the standard error output. */
const world = realWorld();
const services = [lending, fees];
const topics = [...new Set(messages.map(({ topic }) => topic))];

export type Library = Awaited<ReturnType<typeof openLibrary>>;

/** Runs both services on one file in a folder, until it is disposed of. `now` is the wall clock in milliseconds. */
export async function openLibrary(folder: string, now: () => number = wallClock) {
  await using open = new AsyncDisposableStack();
  const file = open.use(await openFile(folder, { world, now }));
  const transport = embeddedTransport(file);
  for (const { name, bytesMax } of topics) {
    if (!file.log.topics.has(name)) await transport.declare({ name, partitions, bytesMax });
  }
  // What a service has not read yet is kept, however short the retention of a topic is.
  for (const service of services) await file.subscribe(service.name, reads(service));
  const store = sqliteStore(file);
  const transportOf = () => transport;
  open.use(
    await startWorker({
      store,
      world,
      services: services.map((service) => ({ service, lanes: service.lanesMax ?? 2 })),
      types: messages,
      adapters: {},
      transportOf,
      partitions,
      build: "1",
      host: `library ${process.pid}`,
    }),
  );
  const { publish } = open.use(
    openPublisher({
      transportOf,
      partitions,
      producer: "/desk",
      nowMs: () => store.nowMs(),
      newId: () => world.newId(),
    }),
  );
  const kept = open.move();

  return {
    /** Says something at the desk; resolves when it is on the disk. */
    publish,
    /** Resolves with the first message of a topic that fits, from the beginning on. */
    async heard(topic: string, fits: (message: StoredMessage) => boolean, signal: AbortSignal): Promise<StoredMessage> {
      const bounds = await transport.bounds(topic);
      const from = bounds.map(({ partition, logId, firstOffset }) => ({
        topic,
        partition,
        logId,
        nextOffset: firstOffset,
      }));
      await using reader = transport.reader(from);
      for (;;) {
        signal.throwIfAborted();
        const page = await reader.fetch({ messages: 100, bytes: 1_048_576, waitMs: 1_000 }, signal);
        const found = page.messages.find(fits);
        if (found !== undefined) return found;
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
