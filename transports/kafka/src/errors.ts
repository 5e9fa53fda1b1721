import { protocolErrorsCodesById } from "@platformatic/kafka";
import { WaybillError } from "@waybill/messaging";

/** Kafka's own name of an error code, as its documentation and its other tools write it. */
export function nameOfError(code: number): string {
  return protocolErrorsCodesById[code] ?? `error ${code}`;
}

export function unavailable(text: string, details: Record<string, unknown> = {}, cause?: unknown): WaybillError {
  return new WaybillError("TRANSPORT_UNAVAILABLE", text, { details, cause });
}

export function topicUnknown(topic: string): WaybillError {
  return new WaybillError("TOPIC_UNKNOWN", `Topic "${topic}" does not exist on this Kafka.`, { details: { topic } });
}

export function partitionUnknown(topic: string, partitions: number, partition: number): WaybillError {
  return new WaybillError(
    "TOPIC_UNKNOWN",
    `Topic "${topic}" has ${partitions} partitions; there is no number ${partition}.`,
    { details: { topic, partition } },
  );
}

export function messageTooLarge(topic: string, bytes: number, bytesMax: number): WaybillError {
  return new WaybillError(
    "MESSAGE_TOO_LARGE",
    `A message of ${bytes} bytes is larger than topic "${topic}" takes, ${bytesMax}.`,
    { details: { topic, bytes, bytesMax } },
  );
}

export function closed(what: string): WaybillError {
  return new WaybillError("CLOSED", `The ${what} is closed.`);
}

export function asWaybillError(error: unknown, otherwise: string): WaybillError {
  if (error instanceof WaybillError) return error;
  return unavailable(`${otherwise}: ${error instanceof Error ? error.message : String(error)}`, {}, error);
}
