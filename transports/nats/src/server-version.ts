import { WaybillError } from "@waybill/messaging";

/** Older servers take the messages of an atomic batch one by one, and say nothing. */
const least = [2, 12] as const;

/** Throws CONTRACT_INVALID for a server that is too old to keep a batch together. */
export function refuseOldServer(version: string): void {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  if (major > least[0] || (major === least[0] && minor >= least[1])) return;
  throw new WaybillError(
    "CONTRACT_INVALID",
    `The NATS server is version ${version || "unknown"}; ${least.join(".")} or newer is needed. Older ones ignore atomic ` +
      `batches without saying so, and half of a batch could be stored.`,
    { details: { version, needed: least.join(".") } },
  );
}
