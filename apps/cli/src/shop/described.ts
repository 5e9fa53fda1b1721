import { asyncApi, describe, shopContract, shopServices, type Described } from "@waybill/server";
import { table } from "../table.ts";

/** What this build declares. */
export function describeBuild(): Described {
  const { topics, messages } = shopContract();
  return describe(shopServices(), topics, messages);
}

/** The same as an AsyncAPI document. */
export function asyncApiOfBuild(): object {
  const { topics, messages } = shopContract();
  return asyncApi(shopServices(), topics, messages);
}

const none: ReadonlySet<number> = new Set();

/** A description for a terminal: services, topics, messages. */
export function describedText({ services, topics, messages }: Described): string {
  const ofServices = services.map((one) => [
    one.service,
    one.lanesMax === undefined ? "any" : String(one.lanesMax),
    listed(one.reads),
    listed(one.timers),
    listed(one.effects),
  ]);
  const ofTopics = topics.map(({ topic, door, writers, readers }) => [
    topic,
    door ? "anybody (a door)" : listed(writers),
    listed(readers),
  ]);
  const ofMessages = messages.map(({ type, version, topic, senders, readers }) => [
    type,
    String(version),
    topic,
    listed(senders),
    listed(readers),
  ]);
  return [
    "Services",
    table(["service", "lanes", "reads", "timers", "calls"], ofServices, new Set([1])),
    "",
    "Topics",
    table(["topic", "written by", "read by"], ofTopics, none),
    "",
    "Messages",
    table(["message", "version", "topic", "sent by", "handled by"], ofMessages, new Set([1])),
  ].join("\n");
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? "–" : names.join(", ");
}
