import { load, type Clients } from "../api/load.ts";
import { skus, startServer, type Server } from "../api/server.ts";

/** One turn of clients at a server. */
export interface Turn extends Clients {
  /** Processor time of the server's process while they were at it, in cores. */
  readonly serverCores: number;
  /** How long it took afterwards until every order was done, in seconds. */
  readonly drainedSeconds: number;
}

/** What the HTTP interface takes, beside the same one that stores nothing. */
export interface Api {
  readonly storing: readonly Turn[];
  /** The same with an Idempotency-Key in each order. */
  readonly keyed: readonly Turn[];
  readonly bare: readonly Turn[];
  readonly open: Turn;
  /** Processor time an order, in microseconds, in pairs: OpenTelemetry there and off, and not there at all. */
  readonly traces: readonly { readonly off: number; readonly without: number }[];
}

const connections = 64;
const openPerSecond = 1_000;
const tracesPerSecond = 400;

/** Measures the real server in its own process, with clients in another. */
export async function api(options: { readonly base: string; readonly quick: boolean }): Promise<Api> {
  const { base, quick } = options;
  const seconds = quick ? 4 : 10;
  await using real = await startServer(base);
  await using bare = await startServer(base, "answers-without-storing");
  const result = { storing: [] as Turn[], keyed: [] as Turn[], bare: [] as Turn[] };
  const closed = { connections, seconds, warmUpSeconds: 2, isKeyed: false };
  for (let round = 0; round < (quick ? 1 : 3); round++) {
    result.storing.push(await turn(real, closed));
    result.bare.push(await turn(bare, closed));
    result.keyed.push(await turn(real, { ...closed, isKeyed: true }));
  }
  const open = await turn(real, { ...closed, seconds: quick ? 5 : 30, perSecond: openPerSecond });
  return { ...result, open, traces: await traces(base, quick) };
}

async function turn(server: Server, how: Omit<Parameters<typeof load>[0], "url" | "skus">): Promise<Turn> {
  const [cpu, beganMs] = [await server.cpuSeconds(), performance.now()];
  const clients = await load({ ...how, url: server.url, skus });
  const serverCores = ((await server.cpuSeconds()) - cpu) / ((performance.now() - beganMs) / 1_000);
  return { ...clients, serverCores, drainedSeconds: await server.drained() };
}

/** Processor time, which does not depend on who else is at work as wall time does. */
async function traces(base: string, quick: boolean): Promise<Api["traces"]> {
  await using off = await startServer(base);
  await using without = await startServer(base, "without-traces");
  const microsOf = async (server: Server): Promise<number> => {
    const before = await server.cpuSeconds();
    const how = { connections, seconds: quick ? 5 : 10, warmUpSeconds: 0, isKeyed: false, perSecond: tracesPerSecond };
    const { orders } = await load({ ...how, url: server.url, skus });
    await server.drained();
    return (((await server.cpuSeconds()) - before) * 1_000_000) / orders;
  };
  // The first turn of each is only there to have Node compile what runs often.
  await microsOf(off);
  await microsOf(without);
  const pairs: { off: number; without: number }[] = [];
  for (let round = 0; round < (quick ? 2 : 7); round++) {
    // Who comes first changes, so that a machine that grows slower favours nobody.
    if (round % 2 === 0) pairs.push({ off: await microsOf(off), without: await microsOf(without) });
    else {
      const second = await microsOf(without);
      pairs.push({ off: await microsOf(off), without: second });
    }
  }
  return pairs;
}
