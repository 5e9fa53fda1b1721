// One measurement in a process of its own, so that none warms up or burdens the next: `run-measure.ts NAME JSON`.
import { startGateway, httpGateway } from "@waybill/server";
import { join } from "node:path";
import { auditOf, fillForAudit } from "./measures/audit.ts";
import { alone } from "./measures/alone.ts";
import { api } from "./measures/api.ts";
import { kafkaClient, natsClient } from "./measures/clients.ts";
import { idle } from "./measures/idle.ts";
import { memory } from "./measures/memory.ts";
import { onBrokers } from "./measures/on-brokers.ts";
import { throughput } from "./measures/throughput.ts";
import { profiled } from "./profile.ts";

interface Arguments {
  readonly base: string;
  readonly seconds: number;
  readonly orders: number;
  readonly inFlight: number;
  readonly folder: string;
  readonly quick: boolean;
}

const measures: Record<string, (of: Arguments) => Promise<unknown>> = {
  throughput: (of) => throughput({ ...of, skus: 1_000 }),
  profile: async (of) => (await profiled(() => throughput({ ...of, skus: 1_000 }))).top,
  spread: (of) => throughput({ ...of, skus: 1_000 }),
  hot: (of) => throughput({ ...of, skus: 1_000, hot: true }),
  gateway: async (of) => {
    await using child = await startGateway({ data: join(of.base, `gateway-${process.pid}`) });
    await using gateway = httpGateway({ url: child.url, connections: 64 });
    // Awaited here: the gateway must outlive the measurement.
    return await throughput({ ...of, skus: 1_000, gateway });
  },
  nats: (of) => onBrokers({ ...of, skus: 1_000, engine: "nats" }),
  kafka: (of) => onBrokers({ ...of, skus: 1_000, engine: "kafka" }),
  "nats-client": natsClient,
  "kafka-client": kafkaClient,
  alone,
  api,
  "audit-fill": fillForAudit,
  audit: auditOf,
  memory,
  idle,
};

const [name = "", json = "{}"] = process.argv.slice(2);
const measure = measures[name];
if (measure === undefined) throw new Error(`No measurement "${name}"; there are ${Object.keys(measures).join(", ")}.`);
process.stdout.write(`${JSON.stringify(await measure(JSON.parse(json) as Arguments))}\n`);
