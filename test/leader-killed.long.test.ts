import { startKafkaCluster, startNatsCluster, startPostgres } from "@waybill/brokers";
import { migrate } from "@waybill/store-postgres";
import { expect, test } from "vitest";
import { flowing, startShopOnServers } from "./server/shop-on-servers.ts";

const starts = { nats: startNatsCluster, kafka: startKafkaCluster };

test.each(["nats", "kafka"] as const)(
  "a shop on three servers of %s loses nothing when those that lead are killed, one after the other",
  { timeout: 300_000 },
  async (engineName) => {
    await using cluster = await starts[engineName]();
    await using postgres = await startPostgres();
    await migrate({ url: postgres.url });
    const reached = { broker: cluster.url, postgres: postgres.url };
    const topics = { "*": { replicas: 3 } };
    await using shop = await startShopOnServers(engineName, { shop: reached, auditor: reached, topics });
    await using orders = shop.load("led");
    // Each leads about a third of all topics or partitions.
    for (const server of cluster.servers) {
      await flowing(orders);
      await server.kill();
      await flowing(orders);
      await server.start();
    }
    await flowing(orders);
    expect(await shop.audited(orders, "each of three servers was killed once")).toEqual([]);
  },
);
