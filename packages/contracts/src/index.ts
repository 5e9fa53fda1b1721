export { amountMax, amountText, currencies, lineAmount, type Currency } from "./money.ts";
export { currency, customer, id, linesMax, sku, text } from "./fields.ts";
export { topics } from "./topics.ts";
export { allMessages, allTopics } from "./all.ts";
export { reasonText, say, type Said } from "./say.ts";
export { assertTransition, type Transitions } from "./transitions.ts";
export { parkedDiscard, parkedRedrive, type ParkedDiscard, type ParkedRedrive } from "./operations.ts";
export { productChanged, productPut, type ProductChanged, type ProductPut } from "./products.ts";
export {
  orderCancel,
  orderImport,
  orderPlace,
  sameOrder,
  type OrderCancel,
  type OrderContent,
  type OrderImport,
  type OrderPlace,
} from "./order-commands.ts";
export {
  orderAttentionNeeded,
  orderCancelled,
  orderCancelRefused,
  orderCancelRequested,
  orderCompleted,
  orderConfirmed,
  orderPlaced,
  orderRefunded,
  orderRejected,
  orderReserved,
  orderShipped,
  type LineProblem,
  type OrderAttentionNeeded,
  type OrderCancelled,
  type OrderCompleted,
  type OrderConfirmed,
  type OrderPlaced,
  type OrderRefunded,
  type OrderRejected,
  type OrderReserved,
  type OrderShipped,
  type OrderWithReason,
  type ShortLine,
} from "./orders.ts";
export {
  stockAdjust,
  stockAdjusted,
  stockAdjustmentRefused,
  stockBack,
  stockLow,
  stockOut,
  stockRefused,
  stockReleased,
  stockReserved,
  stockShipped,
  type Movement,
  type StockAdjust,
  type StockAdjusted,
  type StockAdjustmentRefused,
  type StockLevel,
  type StockMoved,
  type StockRefused,
} from "./stock.ts";
export {
  paymentAuthorised,
  paymentCaptured,
  paymentCaptureRefused,
  paymentDeclined,
  paymentRefunded,
  paymentRefundRefused,
  paymentResolve,
  paymentUncertain,
  paymentVoided,
  paymentVoidRefused,
  type PaymentMoney,
  type PaymentOperation,
  type PaymentRefused,
  type PaymentResolve,
  type PaymentUncertain,
} from "./payments.ts";
export {
  shipmentCancelled,
  shipmentDeliver,
  shipmentDelivered,
  shipmentDispatch,
  shipmentDispatched,
  shipmentRefused,
  type ShipmentCancelled,
  type ShipmentDeliver,
  type ShipmentDelivered,
  type ShipmentDispatch,
  type ShipmentDispatched,
  type ShipmentRefused,
} from "./shipments.ts";
