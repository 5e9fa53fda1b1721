import {
  openPublisher,
  partitionOf,
  startWorker,
  type Envelope,
  type LaneLimits,
  type Publisher,
  type Store,
  type StoredMessage,
  type Topic,
  type Transport,
  type Worker,
} from "@waybill/messaging";
import { realWorld, wallClock } from "@waybill/server";
import { migrate, postgresStore } from "@waybill/store-postgres";
import { expect, vi } from "vitest";
import { parcels, trail, type Trail } from "./parcels.ts";
import type { Site } from "./site.ts";

export const partitions = 4;

export type ServiceName = "gate" | "ledger";

export interface StartOptions {
  readonly limits?: Partial<LaneLimits>;
  readonly wrapStore?: (store: Store) => Store;
  readonly wrapTransport?: (transport: Transport) => Transport;
}

/** The parcels' two services on a site, under topics and schemas of their own. */
export interface Deployment extends AsyncDisposable {
  readonly parcels: ReturnType<typeof parcels>;
  /** Beside the services: what the test itself reads and writes with. */
  readonly transport: Transport;
  readonly stores: Readonly<Record<ServiceName, Store>>;
  /** Everything that the services' processes said: `code: text`, with the error behind it. */
  readonly said: readonly string[];
  declare(topic: Topic): Promise<void>;
  start(service: ServiceName, options?: StartOptions): Promise<Worker>;
  /** Scans each parcel, step by step, each again until it is acknowledged. */
  scan(ids: readonly string[], from: number, to: number): Promise<void>;
  /** Resolves when this service has exactly these steps of each parcel. */
  untilSteps(service: ServiceName, ids: readonly string[], steps: readonly number[]): Promise<void>;
  stepsOf(service: ServiceName, ids: readonly string[]): Promise<readonly (readonly number[])[]>;
  /** Appends to a partition what a stranger says. */
  append(topic: Topic, partition: number, messages: readonly Envelope[]): Promise<void>;
  /** All that lies on a topic's log. */
  log(topic: Topic): Promise<StoredMessage[]>;
}

export async function deploy(site: Site, name: string): Promise<Deployment> {
  await using open = new AsyncDisposableStack();
  const domain = parcels(name);
  const said: string[] = [];
  const world = realWorld((level, text, details) => void said.push(`${level} ${text} ${JSON.stringify(details)}`));
  const at = (service: ServiceName) => ({ url: site.databases[service].url, schema: name });
  await Promise.all([migrate(at("gate")), migrate(at("ledger"))]);
  const transport = open.use(await site.transport());
  const stores = {
    gate: open.use(await postgresStore({ ...at("gate"), world })),
    ledger: open.use(await postgresStore({ ...at("ledger"), world })),
  };
  const declare = (topic: Topic): Promise<void> =>
    transport.declare({ name: topic.name, partitions, bytesMax: topic.bytesMax });
  await declare(domain.door);
  await declare(domain.scans);
  const publisher = open.use(
    openPublisher({
      transportOf: () => transport,
      partitions,
      producer: "scanner",
      nowMs: wallClock,
      newId: world.newId,
    }),
  );

  const kept = open.move();

  async function start(service: ServiceName, options: StartOptions = {}): Promise<Worker> {
    const { wrapStore, wrapTransport, limits = {} } = options;
    const own = kept.use(await site.transport());
    const seen = wrapTransport?.(own) ?? own;
    return kept.use(
      await startWorker({
        store: wrapStore?.(stores[service]) ?? stores[service],
        world,
        services: [{ service: domain.services[service], lanes: 2 }],
        types: [],
        adapters: {},
        transportOf: () => seen,
        partitions,
        build: "test",
        host: service,
        limits,
        tickMs: 200,
      }),
    );
  }

  async function stepsOf(service: ServiceName, ids: readonly string[]): Promise<readonly (readonly number[])[]> {
    const rows = await stores[service].load(
      service,
      ids.map((id) => ({ kind: trail.kind, id })),
    );
    const found = new Map(rows.map((row) => [row.id, (JSON.parse(row.body) as Trail).steps]));
    return ids.map((id) => found.get(id) ?? []);
  }

  return {
    parcels: domain,
    transport,
    stores,
    said,
    declare,
    start,
    scan: (ids, from, to) => scanAll(publisher, domain, ids, range(from, to)),
    stepsOf,
    untilSteps: (service, ids, steps) =>
      until(async () =>
        expect(await stepsOf(service, ids), `${service} has the steps`).toEqual(ids.map(() => [...steps])),
      ),
    async append(topic, partition, messages) {
      const [result] = await transport.append([{ topic: topic.name, partition, messages }], unaborted);
      expect(result).toMatchObject({ ok: true });
    },
    log: (topic) => readAll(transport, topic.name),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

const unaborted = new AbortController().signal;

async function scanAll(
  publisher: Publisher,
  { scan }: ReturnType<typeof parcels>,
  ids: readonly string[],
  steps: readonly number[],
): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      for (const step of steps) {
        await until(() => publisher.publish(scan, { id, step }, { id: `${id}-${step}` }));
      }
    }),
  );
}

async function readAll(transport: Transport, topic: string): Promise<StoredMessage[]> {
  const bounds = await transport.bounds(topic);
  const from = bounds.map(({ partition, logId, firstOffset }) => ({
    topic,
    partition,
    logId,
    nextOffset: firstOffset,
  }));
  await using reader = transport.reader(from);
  const found: StoredMessage[] = [];
  for (;;) {
    const { messages, atEnd } = await reader.fetch({ messages: 5_000, bytes: 4_000_000, waitMs: 0 }, unaborted);
    found.push(...messages);
    if (atEnd.length === partitions) return found;
  }
}

/** Repeats what fails until it does not, for as long as the slowest recovery may take. */
export async function until<T>(attempt: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(attempt, { timeout: 40_000, interval: 50 });
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}

/** Parcels of this partition. */
export function idsIn(partition: number, count: number): string[] {
  const ids: string[] = [];
  for (let at = 0; ids.length < count; at++) if (partitionOf(`p${at}`, partitions) === partition) ids.push(`p${at}`);
  return ids;
}

/** Parcels of every partition. */
export const everywhere: readonly string[] = range(0, partitions - 1).flatMap((partition) => idsIn(partition, 2));
