import type { AnyMessageType } from "./contract.ts";
import { WaybillError } from "./errors.ts";

/** What the attributes of an envelope may take besides the body, generously. */
export const attributeBytes = 1_500;

/** Throws MESSAGE_TOO_LARGE when a body is larger than its topic takes. */
export function checkSize(type: AnyMessageType, body: string): void {
  const room = type.topic.bytesMax - attributeBytes;
  if (body.length * 3 <= room) return;
  const bytes = Buffer.byteLength(body);
  if (bytes > room) {
    throw new WaybillError(
      "MESSAGE_TOO_LARGE",
      `${type.name} is ${bytes} bytes; topic "${type.topic.name}" takes ${room} beside the attributes.`,
      { details: { bytes, room } },
    );
  }
}
