import type { MessageType, Published, Publisher, World } from "@waybill/messaging";
import type { Health } from "./engine.ts";
import { unavailable } from "./http/problem.ts";

/** Takes messages from outside, and says at once when nothing can be stored. */
export interface Door {
  /** Resolves when the message is durable. Throws a problem when it cannot be stored now, or not within 5 seconds. */
  publish<T>(type: MessageType<T>, body: NoInfer<T>, options?: DoorOptions): Promise<Published>;
}

export interface DoorOptions {
  readonly id?: string;
  /** W3C trace context of the request. */
  readonly traceparent?: string | undefined;
}

const storedWithinMs = 5_000;

export function openDoor(publisher: Publisher, health: () => Health, log?: World["log"]): Door {
  return {
    async publish(type, body, { id, traceparent } = {}) {
      if (!health().ok) throw unavailable("The disk takes nothing now. Nothing of this request was stored; try again.");
      const known = { ...(id === undefined ? {} : { id }), ...(traceparent === undefined ? {} : { traceparent }) };
      const published = await within(publisher.publish(type, body, known), storedWithinMs);
      const { id: messageId, topic, partition } = published;
      log?.("debug", "A message was stored.", {
        type: type.name,
        subject: type.subject(body),
        messageId,
        topic,
        partition,
      });
      return published;
    },
  };
}

/** A message that was handed over and is not known to be stored may be stored later: only a repeat can tell. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const text = "It is not known yet whether this was stored. Repeat it with the same Idempotency-Key.";
    timer = setTimeout(() => reject(unavailable(text)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
