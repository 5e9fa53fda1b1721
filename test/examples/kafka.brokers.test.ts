import { afterAll, beforeAll, expect, test } from "vitest";
import { goExample, kafkaConsoleConsumer, startKafka, type Server, type Tool } from "@waybill/brokers";
import { linesUntil, output, type CloudEvent } from "./run.ts";
import { shopOn } from "./shop-on.ts";

let open: AsyncDisposableStack;
let kafka: Server;
let go: Tool;
beforeAll(async () => {
  open = new AsyncDisposableStack();
  go = await goExample();
  kafka = open.use(await startKafka());
  open.use(await shopOn({ engine: "kafka", kafka: { url: kafka.url } }));
});
afterAll(() => open.disposeAsync());

test("an order from Go is taken at the door, and Go and Kafka's own consumer read what became of it", async () => {
  const env = { WAYBILL_KAFKA_URL: kafka.url };
  const orderId = "from-go";
  const said = await output(go, ["place", "-sku", "85123A", "-quantity", "2", "-order-id", orderId], env);
  expect(said).toBe(`${orderId}\n`);

  const isOver = (line: string) => line.includes('"type":"order.completed"') && line.includes(orderId);
  const events = (await linesUntil(go, ["read", "orders"], env, isOver)).map((line) => JSON.parse(line) as CloudEvent);
  const life = events.filter(({ subject }) => subject === orderId);
  expect(life.map(({ type }) => type)).toEqual(
    expect.arrayContaining(["order.placed", "order.confirmed", "order.completed"]),
  );
  for (const event of life) {
    expect(event).toMatchObject({ specversion: "1.0", source: "orders", datacontenttype: "application/json" });
    expect(event.data.orderId).toBe(orderId);
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT/);
  }

  const formatter = ["print.key=true", "print.headers=true"].flatMap((property) => ["--property", property]);
  const args = ["--bootstrap-server", kafka.url, "--topic", "orders", "--from-beginning", ...formatter];
  const lines = await linesUntil(await kafkaConsoleConsumer(), args, {}, (line) =>
    line.includes("ce_type:order.completed"),
  );
  const last = lines.at(-1)!;
  expect(last).toContain(`ce_subject:${orderId}`);
  expect(last).toContain("ce_specversion:1.0");
  expect(last).toContain("content-type:application/json");
});
