import { shopContract, topicViews, type TopicView } from "@waybill/server";
import { count } from "../print.ts";
import { table } from "../table.ts";
import { refused, type Found } from "./found.ts";

/** Every topic, as the server says, or what it runs on when no server can be asked. */
export async function readTopics(found: Found): Promise<readonly TopicView[]> {
  const told = (await found.get("/topics").catch(refused)) as { topics: readonly TopicView[] } | undefined;
  if (told !== undefined) return told.topics;
  await using engine = await found.open();
  const names = shopContract().topics.map(({ name }) => name);
  // Waited for here: the engine is closed at the end of this block.
  return await topicViews((topic) => engine.durable.transportOf(topic), names);
}

export function topicsText(topics: readonly TopicView[]): string {
  const rows = topics.map(({ topic, transport, partitions, messages, bytes }) => [
    topic,
    transport,
    count(partitions),
    count(messages),
    `${(bytes / 1_048_576).toFixed(1)} MiB`,
  ]);
  return table(["topic", "on", "partitions", "messages", "size"], rows, new Set([2, 3, 4]));
}
