import { messageOf } from "@waybill/messaging";

/** What the monitoring of NATS servers tells that no client is told. */
export interface Monitored {
  /** By the server's name: it writes through before each answer, or each so many milliseconds. */
  readonly sync: ReadonlyMap<string, "always" | number>;
  /** Those that told nothing, each with the reason. */
  readonly silent: readonly string[];
}

const timeoutMs = 5_000;
const nanosPerMs = 1e6;

/** Asks servers by the addresses of their monitoring (http://host:8222): `/varz` has the settings of JetStream. */
export async function askMonitors(addresses: readonly string[]): Promise<Monitored> {
  const sync = new Map<string, "always" | number>();
  const silent: string[] = [];
  const ask = async (address: string): Promise<void> => {
    try {
      const { name, each } = await settingsAt(address);
      sync.set(name, each);
    } catch (error) {
      silent.push(`The monitoring at ${address} tells nothing of sync_interval: ${messageOf(error)}.`);
    }
  };
  await Promise.all(addresses.map(ask));
  return { sync, silent };
}

interface Varz {
  readonly server_name?: string;
  readonly jetstream?: { readonly config?: { readonly sync_interval?: number; readonly sync_always?: boolean } };
}

async function settingsAt(address: string): Promise<{ readonly name: string; readonly each: "always" | number }> {
  const url = new URL("varz", address.endsWith("/") ? address : `${address}/`);
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!answer.ok) throw new Error(`it answers ${answer.status}`);
  const { server_name: name, jetstream } = (await answer.json()) as Varz;
  const { sync_always: always, sync_interval: nanos } = jetstream?.config ?? {};
  if (name === undefined || nanos === undefined) throw new Error("it is no NATS server with JetStream");
  return { name, each: always === true ? "always" : nanos / nanosPerMs };
}
