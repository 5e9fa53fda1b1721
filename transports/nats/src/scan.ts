import { createInbox, nuid, type Msg } from "@nats-io/transport-node";
import type { StoredMessage } from "@waybill/messaging";
import type { Link } from "./link.ts";
import { deliveryOf, headerBlockOf, messageOf } from "./record.ts";
import type { Streams } from "./streams.ts";

const nanosPerMs = 1e6;
const pageMessages = 1_000;

/**
 * Looks at the attributes of messages, without their bodies, from a time of storing on, until `look` says that it has
 * seen enough, or the sequence `last` is reached.
 */
export async function scan(
  link: Link,
  streams: Streams,
  { topic, filters, fromMs, last }: { topic: string; filters: readonly string[]; fromMs: number; last: number },
  look: (message: StoredMessage) => boolean,
): Promise<void> {
  const name = `waybill-${nuid.next()}`;
  const config = {
    name,
    ack_policy: "none",
    deliver_policy: "by_start_time",
    opt_start_time: new Date(Math.max(fromMs, 0)).toISOString(),
    replay_policy: "instant",
    headers_only: true,
    inactive_threshold: 10_000 * nanosPerMs,
    mem_storage: true,
    num_replicas: 1,
    filter_subjects: filters,
  };
  try {
    await link.api(`CONSUMER.CREATE.${topic}.${name}`, { stream_name: topic, config, action: "create" });
    while (await page(link, topic, name, last, look));
  } catch (error) {
    throw streams.failure(error);
  } finally {
    if (link.connected) void link.api(`CONSUMER.DELETE.${topic}.${name}`).catch(() => undefined);
  }
}

/** One request's messages. Resolves with whether there is more to look at. */
function page(
  link: Link,
  topic: string,
  consumer: string,
  last: number,
  look: (message: StoredMessage) => boolean,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let left = pageMessages;
    const end = (more: boolean): void => {
      clearTimeout(timer);
      subscription.unsubscribe();
      resolve(more);
    };
    const hear = (message: Msg): void => {
      const delivery = deliveryOf(message.reply ?? "");
      if (delivery === undefined) return end(false);
      const { sequence, storedMs, pending } = delivery;
      const block = headerBlockOf(message);
      const found = messageOf(topic, { subject: message.subject, sequence, storedMs, block, body: message.data });
      left -= 1;
      if ((found !== undefined && look(found)) || sequence >= last || pending === 0) end(false);
      else if (left === 0) end(true);
    };
    const subscription = link.subscribe(createInbox(), (error, message) =>
      error === null ? hear(message) : end(false),
    );
    const timer = setTimeout(() => {
      subscription.unsubscribe();
      reject(link.unavailable(`topic "${topic}" could not be searched within ${link.timeoutMs} ms`));
    }, link.timeoutMs);
    const request = { batch: pageMessages, no_wait: true };
    try {
      const subject = link.apiSubject(`CONSUMER.MSG.NEXT.${topic}.${consumer}`);
      link.publish(subject, JSON.stringify(request), undefined, subscription.getSubject());
    } catch (error) {
      end(false);
      reject(error);
    }
  });
}
