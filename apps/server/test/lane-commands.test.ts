import { expect, test, vi } from "vitest";
import { testServer } from "./client.ts";

test("a lane that has stopped goes on when a person says so, and the book says who and why", async () => {
  await using shop = await testServer();
  const { store, durable } = shop.server.shop.engine;
  const id = { service: "inventory", lane: 0, lanes: 1 };
  const early = await shop.ask("POST", "/lanes/inventory/0/resume", { reason: "Mended." });
  expect([early.status, early.body.type]).toEqual([409, "urn:waybill:problem:lane-refused"]);
  // As a lane that stops leaves it: stopped, and given back.
  await vi.waitUntil(async () => {
    const { epoch } = await store.lane(id);
    return store.mark(id, epoch, { stopped: "PARKING_FULL: too many" });
  });
  const { status, body } = await shop.ask("POST", "/lanes/inventory/0/resume", { reason: "Mended." });
  expect([status, body]).toEqual([200, { service: "inventory", lane: 0, stopped: "PARKING_FULL: too many" }]);
  expect((await store.lane(id)).stopped).toBeUndefined();
  const bounds = await durable.transportOf("operations").bounds("operations");
  await using reader = durable.transportOf("operations").reader(bounds.map((one) => ({ ...one, nextOffset: 0 })));
  const { messages } = await reader.fetch({ messages: 10, bytes: 1e6, waitMs: 0 }, new AbortController().signal);
  expect(messages.map(({ type, body: text }) => [type, JSON.parse(String(text))])).toEqual([
    [
      "lane.resume",
      { service: "inventory", lane: 0, by: "local", reason: "Mended.", stopped: "PARKING_FULL: too many" },
    ],
  ]);
});

test("what does not concern a lane that waits is refused", async () => {
  await using shop = await testServer();
  const answers = await Promise.all([
    shop.ask("POST", "/lanes/nobody/0/resume", { reason: "No." }),
    shop.ask("POST", "/lanes/inventory/7/resume", { reason: "No." }),
    shop.ask("POST", "/lanes/inventory/0/resume", {}),
    shop.ask("POST", "/lanes/inventory/accept-loss", { topic: "orders", reason: "No." }),
    shop.ask("POST", "/lanes/nobody/accept-loss", { topic: "orders", reason: "No." }),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 422, 409, 404]);
});
