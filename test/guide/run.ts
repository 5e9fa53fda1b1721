import { openPublisher, reads, startWorker, type EffectAdapter, type World } from "@waybill/messaging";
import { openFile, sqliteStore } from "@waybill/store-sqlite";
import { embeddedTransport } from "@waybill/transport-embedded";
import { returnLapsed, returnOpened, returnRequest, returns } from "./returns.ts";

/** Runs the service on the embedded engine in a folder, until it is disposed of. */
export async function openDesk(folder: string, world: World) {
  const partitions = 32;
  const types = [returnRequest, returnOpened, returnLapsed];
  await using open = new AsyncDisposableStack();
  const file = open.adopt(await openFile(folder, { world }), (opened) => opened.close());
  const transport = embeddedTransport(file);
  for (const { name, bytesMax } of new Set(types.map((of) => of.topic))) {
    if (!file.log.topics.has(name)) await transport.declare({ name, partitions, bytesMax });
  }
  await file.subscribe(returns.name, reads(returns));
  const store = sqliteStore(file);
  const transportOf = () => transport;
  const carrier: EffectAdapter<{ returnId: string }, { label: string }> = {
    idempotent: "none",
    call: async ({ returnId }) => ({ kind: "done", value: { label: `L/${returnId}` } }),
  };
  const adapters = { "label.print": carrier };
  const services = [{ service: returns, lanes: 1 }];
  const worker = await startWorker({
    store,
    world,
    services,
    types,
    adapters,
    transportOf,
    partitions,
    build: "1",
    host: "me",
  });
  open.defer(() => worker.close());
  const newId = () => world.newId();
  const publisher = open.use(
    openPublisher({ transportOf, partitions, producer: "/desk", nowMs: () => store.nowMs(), newId }),
  );
  const kept = open.move();
  return { publisher, store, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
