// oxlint-disable no-control-regex -- control characters are what is taken out of a text from outside
import type { AnyMessageType, MessageType } from "@waybill/messaging";

/** A message that a rule wants to be sent. */
export interface Said {
  readonly type: AnyMessageType;
  readonly body: unknown;
}

/** Lets a pure rule say something: `say(orderPlaced, { … })`; the wiring sends it. */
export function say<T>(type: MessageType<T>, body: NoInfer<T>): Said {
  return { type, body };
}

/** A text from outside, cut to what a message takes as a reason. */
export function reasonText(text: string): string {
  return (
    text
      .replace(/[\x00-\x1f\x7f]+/g, " ")
      .slice(0, 500)
      .trim() || "no reason given"
  );
}
