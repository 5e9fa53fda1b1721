export type { Amount, AuthoriseRequest, GatewayAnswer, PaymentGateway, PaymentRequest, Receipt } from "./gateway.ts";
export { sums, type LedgerEntry, type Sums } from "./ledger.ts";
export { transitions, type Payment, type PaymentStatus } from "./rules.ts";
export { authorise, capture, gatewayEffects, presence, refund, voidPayment } from "./effects.ts";
export { payment, payments } from "./service.ts";
