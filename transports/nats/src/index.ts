export { natsTransport, type NatsTransport } from "./transport.ts";
export type { NatsTransportOptions } from "./options.ts";
export type { NatsInspection, StreamInspection } from "./inspect.ts";
