export { embeddedTransport, type EmbeddedTransportOptions } from "./transport.ts";
