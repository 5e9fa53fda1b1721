import { asyncApi, shopContract, shopServices } from "@waybill/server";
import { expect, test } from "vitest";

const services = shopServices();
const { topics, messages } = shopContract();
// oxlint-disable-next-line no-explicit-any -- whatever the document holds; the tests say what it must
const document = asyncApi(services, topics, messages) as any;

/** Every `$ref` of a value, and what it leads to. */
function refs(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === "$ref" ? [[String(member), at(String(member))] as const] : refs(member),
  );
}

function at(ref: string): unknown {
  const names = ref.slice(2).split("/");
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);
}

test("every topic is a channel with its messages, and every message has its schema and samples", () => {
  expect(Object.keys(document.channels)).toEqual(topics.map(({ name }) => name));
  for (const { name, topic, samples } of messages) {
    expect(document.channels[topic.name].messages[name]).toEqual({ $ref: `#/components/messages/${name}` });
    const { payload, examples } = document.components.messages[name];
    expect(payload.schema.type).toBe("object");
    expect(examples.map((one: { payload: unknown }) => one.payload)).toEqual(samples);
  }
});

test("every service sends and receives what its rules say", () => {
  expect(document.operations["orders.send.orders"]).toMatchObject({
    action: "send",
    channel: { $ref: "#/channels/orders" },
  });
  expect(document.operations["inventory.receive.orders"].messages).toEqual([
    { $ref: "#/channels/orders/messages/order.placed" },
    { $ref: "#/channels/orders/messages/order.cancelled" },
  ]);
  expect(Object.keys(document.operations).filter((name) => name.startsWith("listing.send"))).toEqual([]);
});

test("nothing points to nowhere", () => {
  const all = refs(document);
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter(([, found]) => found === undefined)).toEqual([]);
});
