import {
  memoryStore,
  memoryTransport,
  testWorld,
  type MemoryStore,
  type MemoryTransport,
  type TestWorld,
} from "@waybill/memory";
import {
  openPublisher,
  partitionOf,
  startWorker,
  type AnyEffectAdapter,
  type EffectAdapter,
  type MessageType,
  type Publisher,
  type Service,
  type StateRef,
  type Store,
  type Transport,
  type Worker,
  type WorkerOptions,
} from "@waybill/messaging";
import { afterEach } from "vitest";
import { counter, tallier } from "./counter.ts";
import { watched } from "./one-row-once.ts";

/** Batches that no database should have been given, in any test. */
const noticed: Error[] = [];
afterEach(() => {
  const [first] = noticed.splice(0);
  if (first !== undefined) throw first;
});

/** A whole deployment in memory: one database, one broker, and as many processes as a test starts. */
export interface Deployment {
  readonly world: TestWorld;
  readonly store: MemoryStore;
  readonly transport: MemoryTransport;
  readonly partitions: number;
  readonly publisher: Publisher;
  start(options?: Partial<Process>): Promise<Started>;
  /** Publishes and lets everything go on that does not wait for time. */
  publish<T>(type: MessageType<T>, body: NoInfer<T>, options?: { id?: string; atMs?: number }): Promise<void>;
  /** The stored value of a state. */
  read<T>(service: string, ref: StateRef<T>): Promise<T | undefined>;
  /** Lets time pass until the condition holds; fails after an hour of simulated time. */
  until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>;
}

export interface Process extends Omit<WorkerOptions, "services"> {
  readonly services: readonly Service[];
  readonly lanes: number;
  /** Wraps what the process gets to see of the shared engine. */
  readonly wrapStore: (store: Store) => Store;
  readonly wrapTransport: (transport: Transport) => Transport;
}

export interface Started {
  readonly worker: Worker;
  /** As kill -9: nothing of it reaches the engine any more. */
  kill(): void;
}

export const answering: EffectAdapter<{ id: string; total: number }, string> = {
  idempotent: "key",
  keyTtlMs: 86_400_000,
  call: async (input) => ({ kind: "done", value: `answer ${input.total}` }),
};

const topics = ["count-in", "counts", "bills-in", "payments-in", "jobs-in"] as const;

export async function deploy(options: { partitions?: number; seed?: number } = {}): Promise<Deployment> {
  const partitions = options.partitions ?? 4;
  const world = testWorld({ seed: options.seed ?? 1 });
  const store = memoryStore({ world });
  const transport = memoryTransport({ world });
  for (const name of topics) {
    await transport.declare({ name, partitions, bytesMax: 1_000_000 });
  }
  const publisher = openPublisher({
    transportOf: () => transport,
    partitions,
    producer: "test",
    nowMs: () => store.nowMs(),
    newId: () => world.newId(),
  });
  const adapters: Record<string, AnyEffectAdapter> = { call: answering };
  let processes = 0;
  return {
    world,
    store,
    transport,
    partitions,
    publisher,
    async start(process = {}) {
      const { services = [counter, tallier], lanes = 2, wrapStore, wrapTransport, ...rest } = process;
      const ownStore = store.handle();
      const ownTransport = transport.handle();
      const watchedStore = watched(ownStore, (error) => noticed.push(error));
      const seenStore = wrapStore?.(watchedStore) ?? watchedStore;
      const seenTransport = wrapTransport?.(ownTransport) ?? ownTransport;
      const starting = startWorker({
        store: seenStore,
        world,
        services: services.map((service) => ({ service, lanes: Math.min(lanes, service.lanesMax ?? lanes) })),
        types: [],
        adapters,
        transportOf: () => seenTransport,
        partitions,
        build: "test",
        host: `process-${processes++}`,
        freeze: true,
        ...rest,
      });
      const worker = await world.passUntil(starting);
      return {
        worker,
        kill() {
          ownStore.kill();
          ownTransport.kill();
        },
      };
    },
    async publish(type, body, published = {}) {
      const done = publisher.publish(type, body, published);
      await world.settle();
      await done;
    },
    async read<T>(service: string, ref: StateRef<T>) {
      const [row] = await store.load(service, [{ kind: ref.of.kind, id: ref.id }]);
      return row === undefined ? undefined : (JSON.parse(row.body) as T);
    },
    async until(what, holds) {
      for (let waited = 0; !(await holds()); waited += 50) {
        if (waited > 3_600_000) throw new Error(`It never came true that ${what}.`);
        await world.advance(50);
      }
    },
  };
}

/** Ids whose partition is the one asked for. */
export function idsIn(partition: number, partitions: number, count: number): string[] {
  const ids: string[] = [];
  for (let at = 0; ids.length < count; at++) {
    const id = `thing-${at}`;
    if (partitionOf(id, partitions) === partition) ids.push(id);
  }
  return ids;
}
