import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharedPostgres } from "@waybill/brokers";
import { effective, startServer, type RunningServer, type WaybillConfig } from "@waybill/server";
import { migrate } from "@waybill/store-postgres";

/** A whole shop with the sample's products, its states in a schema of its own, on the brokers that are given. */
export async function shopOn(brokers: WaybillConfig): Promise<RunningServer> {
  const schema = `shop_${crypto.randomUUID().replaceAll("-", "").slice(0, 20)}`;
  const url = await sharedPostgres();
  await migrate({ url, schema });
  const data = mkdtempSync(join(tmpdir(), "waybill-examples-"));
  const config = effective({ ...brokers, postgres: { url, schema }, data, shop: { dispatchAfterMs: 0 } });
  try {
    const server = await startServer({ config, port: 0 });
    return {
      ...server,
      async [Symbol.asyncDispose]() {
        await server.close();
        rmSync(data, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(data, { recursive: true, force: true });
    throw error;
  }
}
