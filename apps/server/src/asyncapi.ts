import type { AnyMessageType, Service, Topic } from "@waybill/messaging";
import packageJson from "../package.json" with { type: "json" };
import { describe } from "./describe.ts";
import { jsonSchema, type JsonSchema } from "./http/document/json-schema.ts";

/**
 * The AsyncAPI 3.0 document of these topics and messages: a channel a topic, a message a type, and an operation for each
 * service that sends to a topic or reads it. Bodies are those of the contracts' schemas, attributes are CloudEvents'.
 */
export function asyncApi(
  services: readonly Service[],
  topics: readonly Topic[],
  messages: readonly AnyMessageType[],
): JsonSchema {
  return {
    asyncapi: "3.0.0",
    info: {
      title: "Waybill",
      version: packageJson.version,
      description:
        "Orders, stock, payments and fulfilment as messages. A topic is one log with partitions; a message's key chooses its partition, and order holds for each key.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/json",
    channels: Object.fromEntries(topics.map((topic) => [topic.name, channel(topic, messages)])),
    operations: operations(services, topics, messages),
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.name, messageOf(message)])),
      messageTraits: { cloudEvent: { headers: attributes } },
    },
  };
}

function channel({ name, door, writers, bytesMax }: Topic, messages: readonly AnyMessageType[]): JsonSchema {
  const who = door
    ? "A door: programs outside may write to it."
    : `Only ${writers.join(" and ")} may write to it; each message is stamped with its place in a chain.`;
  const own = messages.filter(({ topic }) => topic.name === name);
  return {
    address: name,
    description: `${who} A message is at most ${bytesMax.toLocaleString("en-GB")} bytes.`,
    messages: Object.fromEntries(own.map((message) => [message.name, { $ref: refOf(message) }])),
  };
}

function refOf({ name }: AnyMessageType): string {
  return `#/components/messages/${name}`;
}

function messageOf({ name, kind, version, schema, samples }: AnyMessageType): JsonSchema {
  return {
    name,
    title: name,
    summary: kind === "event" ? "Something that happened." : "Something that is asked for.",
    tags: [{ name: kind }],
    contentType: "application/json",
    traits: [{ $ref: "#/components/messageTraits/cloudEvent" }],
    correlationId: { location: "$message.header#/correlationid" },
    payload: { schemaFormat: "application/schema+json;version=draft-2020-12", schema: jsonSchema(schema) },
    examples: samples.map((payload: unknown) => ({ payload })),
    "x-version": version,
  };
}

/** The attributes of CloudEvents 1.0 that travel as headers, and those of a chain. */
const attributes: JsonSchema = {
  type: "object",
  properties: {
    specversion: { const: "1.0" },
    id: { type: "string", description: "unique for its source" },
    source: { type: "string", description: "the service that sent it, or what a program outside calls itself" },
    type: { type: "string" },
    dataschema: { type: "string", description: "names the type and the version of the body" },
    subject: { type: "string", description: "the entity that it is about" },
    partitionkey: { type: "string", description: "chooses its partition" },
    time: { type: "string", format: "date-time" },
    correlationid: { type: "string", description: "the id of the first message of the conversation" },
    causationid: { type: "string", description: "the id of what made it" },
    traceparent: { type: "string", description: "W3C trace context" },
  },
  required: ["specversion", "id", "source", "type", "subject", "partitionkey", "time", "correlationid"],
};

/** What each service sends and reads: an operation for each of its topics. */
function operations(
  services: readonly Service[],
  topics: readonly Topic[],
  messages: readonly AnyMessageType[],
): JsonSchema {
  const told = describe(services, topics, messages);
  const all: Record<string, JsonSchema> = {};
  for (const { name: topic } of topics) {
    const own = told.messages.filter((message) => message.topic === topic);
    for (const { service } of told.services) {
      for (const [action, of] of [
        ["send", "senders"],
        ["receive", "readers"],
      ] as const) {
        const concerned = own.filter((message) => message[of].includes(service));
        if (concerned.length > 0) all[`${service}.${action}.${topic}`] = operation(action, topic, concerned);
      }
    }
  }
  return all;
}

function operation(
  action: "send" | "receive",
  topic: string,
  messages: readonly { readonly type: string }[],
): JsonSchema {
  const channelRef = `#/channels/${topic}`;
  return {
    action,
    channel: { $ref: channelRef },
    messages: messages.map(({ type }) => ({ $ref: `${channelRef}/messages/${type}` })),
  };
}
