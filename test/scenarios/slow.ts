import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Store, Transport } from "@waybill/messaging";
import type { StartOptions } from "./deployment.ts";

/** What makes a service slow, and what is seen of it meanwhile. */
export interface Slowness extends Required<Pick<StartOptions, "wrapStore" | "wrapTransport">> {
  /** The most messages that it ever held: fetched, and not yet committed. */
  mostHeld(): number;
}

/** A database whose every commit takes so much longer. */
export function slowness(commitMs: number): Slowness {
  let held = 0;
  let most = 0;
  const wrapStore = (store: Store): Store => ({
    ...store,
    commit(batch) {
      const { durable } = store.commit(batch);
      const late = durable.then(() => new Promise<void>((resolve) => setTimeout(resolve, commitMs)));
      void late.then(
        () => void (held -= batch.inputs),
        () => undefined,
      );
      return { applied: late, durable: late };
    },
  });
  const wrapTransport = (transport: Transport): Transport => ({
    ...transport,
    reader(from) {
      const reader = transport.reader(from);
      return {
        async fetch(limits, signal) {
          const fetched = await reader.fetch(limits, signal);
          held += fetched.messages.length;
          most = Math.max(most, held);
          return fetched;
        },
        [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
      };
    },
  });
  return { wrapStore, wrapTransport, mostHeld: () => most };
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What this process holds that is no garbage, in bytes. */
export function heldBytes(): number {
  // What buffers held is given back behind the collection that finds them unused.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
