import type { Issue } from "@waybill/messaging";
import { lanesMaxOf, shopContract } from "../services.ts";
import { connectionsOf, type Connections } from "./connections.ts";
import { ConfigError } from "./error.ts";
import { mailOf, type MailConfig } from "./mail.ts";
import { mirrorsOf, type MirrorConfig } from "./mirrors.ts";
import type { EngineName, WaybillConfig } from "./schema.ts";
import { topicsOf, type TopicConfig } from "./topics.ts";

/** A deployment of the shop with nothing left open. Times are in milliseconds, sizes in bytes. */
export interface Config extends Connections {
  readonly engine: EngineName;
  readonly store: "sqlite" | "postgres";
  readonly data: string;
  readonly http: { readonly host: string; readonly port?: number | undefined };
  readonly shop: {
    readonly dispatchAfterMs: number;
    readonly paymentDeadlineMs?: number | undefined;
    readonly gatewayUrl?: string | undefined;
    readonly gatewayKeyTtlMs: number;
    readonly gatewayTimeoutMs: number;
    readonly gatewayConnectionsMax: number;
  };
  /** Undefined: letters become files in the data folder. */
  readonly mail?: MailConfig | undefined;
  /** Every topic of the shop. */
  readonly topics: Readonly<Record<string, TopicConfig>>;
  /** How many lanes each service has. */
  readonly services: Readonly<Record<string, { readonly lanes: number }>>;
  readonly mirrors: readonly MirrorConfig[];
}

const lanesDefault = { embedded: 1, brokers: 4 };

/** What holds when sources say this. Throws ConfigError naming every setting that cannot be, with the reason. */
export function effective(said: WaybillConfig): Config {
  const { engine = "embedded", data = ".waybill", http = {}, shop = {} } = said;
  const issues: Issue[] = [];
  const topics = topicsOf(
    engine,
    said.topics ?? {},
    shopContract().topics.map(({ name }) => name),
    issues,
  );
  const config: Config = {
    engine,
    store: storeOf(said, engine, issues),
    data,
    http: { host: http.host ?? "127.0.0.1", port: http.port },
    shop: {
      dispatchAfterMs: shop.dispatchAfterMs ?? 1_000,
      paymentDeadlineMs: shop.paymentDeadlineMs,
      gatewayUrl: shop.gatewayUrl,
      gatewayKeyTtlMs: shop.gatewayKeyTtlMs ?? 86_400_000,
      gatewayTimeoutMs: shop.gatewayTimeoutMs ?? 10_000,
      gatewayConnectionsMax: shop.gatewayConnectionsMax ?? 128,
    },
    mail: mailOf(said.mail ?? {}, issues),
    ...connectionsOf(engine, said, issues),
    topics,
    services: servicesOf(engine, said.services ?? {}, issues),
    mirrors: mirrorsOf(engine, said.mirrors, topics, issues),
  };
  if (issues.length > 0) throw new ConfigError("The configuration cannot work", issues);
  return config;
}

function storeOf({ store }: WaybillConfig, engine: EngineName, issues: Issue[]): Config["store"] {
  const fit = engine === "embedded" ? "sqlite" : "postgres";
  if (store !== undefined && store !== fit) {
    issues.push({
      field: "store",
      reason: `the engine ${engine} keeps its states in ${fit}, not ${store}; leave it out`,
    });
  }
  return fit;
}

function servicesOf(
  engine: EngineName,
  said: NonNullable<WaybillConfig["services"]>,
  issues: Issue[],
): Config["services"] {
  const most = lanesMaxOf();
  for (const [name, { lanes = 1 }] of Object.entries(said)) {
    const max = most.get(name);
    const field = `services.${name}`;
    if (max === undefined) issues.push(unknown(field, "service", [...most.keys()]));
    else if (lanes > max) issues.push({ field: `${field}.lanes`, reason: `must be at most ${max} (was ${lanes})` });
  }
  const fallback = engine === "embedded" ? lanesDefault.embedded : lanesDefault.brokers;
  const lanesOf = (name: string, max: number) => said[name]?.lanes ?? Math.min(max, fallback);
  return Object.fromEntries(Array.from(most, ([name, max]) => [name, { lanes: lanesOf(name, max) }]));
}

function unknown(field: string, what: string, known: readonly string[]): Issue {
  return { field, reason: `there is no such ${what}; there are ${known.join(", ")}` };
}
