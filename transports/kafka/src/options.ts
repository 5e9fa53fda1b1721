import { WaybillError } from "@waybill/messaging";
import type { Endpoint } from "./line.ts";

const defaultPort = 9092;

/** The brokers that a text names. Throws CONTRACT_INVALID for what is no host and port. */
export function endpointsOf(bootstrap: string): Endpoint[] {
  const endpoints = bootstrap
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .map(endpointOf);
  if (endpoints.length > 0) return endpoints;
  throw new WaybillError("CONTRACT_INVALID", "Kafka needs the address of a broker, as in 127.0.0.1:9092.");
}

function endpointOf(text: string): Endpoint {
  const [, host, port] = /^(?:kafka:\/\/)?(\[[^\]]+\]|[^:/\s]+)(?::(\d{1,5}))?\/?$/.exec(text) ?? [];
  if (host === undefined || Number(port ?? defaultPort) > 65_535) {
    throw new WaybillError("CONTRACT_INVALID", `"${text}" is not the address of a broker, as in 127.0.0.1:9092.`);
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port ?? defaultPort) };
}
