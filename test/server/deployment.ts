import { sharedPostgres, startKafka, startNats } from "@waybill/brokers";
import { effective, loadConfig, type Config } from "@waybill/server";
import { migrate } from "@waybill/store-postgres";
import { randomUUID } from "node:crypto";

/** What a shop of a test runs on. */
export interface Deployment extends AsyncDisposable {
  readonly engine: Config["engine"];
  readonly config: Config;
  /** What the environment of a process says, so that it works on it. */
  readonly env: Readonly<Record<string, string>>;
}

/** The embedded engine, in whatever folder a server is given. */
export async function embedded(): Promise<Deployment> {
  return { engine: "embedded", config: effective({}), env: {}, [Symbol.asyncDispose]: async () => undefined };
}

/** Brokers that nobody else uses, and a schema of its own in the database of the test run. */
export async function brokers(engine: "nats" | "kafka" | "hybrid"): Promise<Deployment> {
  await using open = new AsyncDisposableStack();
  const schema = `shop_${randomUUID().replaceAll("-", "").slice(0, 12)}`;
  const env: Record<string, string> = {
    WAYBILL_ENGINE: engine,
    WAYBILL_POSTGRES_URL: await sharedPostgres(),
    WAYBILL_POSTGRES_SCHEMA: schema,
  };
  if (engine !== "kafka") env["WAYBILL_NATS_URL"] = open.use(await startNats()).url;
  if (engine !== "nats") env["WAYBILL_KAFKA_URL"] = open.use(await startKafka()).url;
  await migrate({ url: env["WAYBILL_POSTGRES_URL"]!, schema });
  const config = await loadConfig({ env });
  const kept = open.move();
  return { engine, config, env, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
