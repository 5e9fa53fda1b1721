import { afterAll, beforeAll, expect, test } from "vitest";
import { natsCli, pythonExample, startNats, type Server, type Tool } from "@waybill/brokers";
import { partitionOf } from "@waybill/messaging";
import { linesUntil, output, type CloudEvent } from "./run.ts";
import { shopOn } from "./shop-on.ts";

let open: AsyncDisposableStack;
let nats: Server;
let python: Tool;
beforeAll(async () => {
  open = new AsyncDisposableStack();
  python = await pythonExample();
  nats = open.use(await startNats());
  open.use(await shopOn({ engine: "nats", nats: { url: nats.url } }));
});
afterAll(() => open.disposeAsync());

test("an order from Python is taken at the door, and Python and the nats command read what became of it", async () => {
  const env = { WAYBILL_NATS_URL: nats.url };
  // A blank and a percent sign are encoded in a header, and it is sent to partition 0, which is not its own.
  const orderId = "from Python 100%";
  expect(partitionOf(orderId, 32)).not.toBe(0);
  const said = await output(python, ["place", "--sku", "85123A", "--quantity", "2", "--order-id", orderId], env);
  expect(said).toBe(`${orderId}\n`);

  const isOver = (line: string) => line.includes('"type": "order.completed"') && line.includes(orderId);
  const events = (await linesUntil(python, ["read", "orders"], env, isOver)).map(
    (line) => JSON.parse(line) as CloudEvent,
  );
  const life = events.filter(({ subject }) => subject === orderId);
  expect(life.map(({ type }) => type)).toEqual(
    expect.arrayContaining(["order.placed", "order.confirmed", "order.completed"]),
  );
  for (const event of life) {
    expect(event).toMatchObject({ specversion: "1.0", source: "orders", datacontenttype: "application/json" });
    expect(event.data.orderId).toBe(orderId);
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT/);
  }

  // Its headers come before the body, in any order; the body is the line that ends the wait.
  const cli = { program: await natsCli(), args: ["--server", nats.url] };
  const args = ["sub", "orders.*.order.completed", "--stream", "orders", "--all"];
  const lines = await linesUntil(cli, args, {}, (line) => line.startsWith("{") && line.includes(orderId));
  const attributes = ["ce-specversion: 1.0", "ce-type: order.completed", "ce-subject: from%20Python%20100%25"];
  expect(lines).toEqual(expect.arrayContaining(attributes));
});
